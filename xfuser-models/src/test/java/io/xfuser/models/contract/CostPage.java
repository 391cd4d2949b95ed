package io.xfuser.models.contract;

import io.xfuser.models.contract.CostTable.Cost;
import io.xfuser.models.contract.CostTable.Method;
import io.xfuser.models.internal.vae.VaeCosts;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;

/** The counts as {@code docs/methods/cost.md}. */
record CostPage(CostTable table) {
  /** The page. */
  String text() {
    return """
    # What the methods cost
    Written by `scripts/cost`, which counts: bytes that communicators sent, weights that were loaded, tensors that attentions took and gave. `CostTableTest` holds the counts to the
    formulas, and this page to the counts; `CostContract` does so for every model with every method and with uneven shares, and in hybrids that are dealt out among the models, to the byte.

    Counted on a narrow PixArt-Σ with the published number of blocks: L = %d, p = %d tokens, hs = %d, one picture with guidance. A is p · hs elements for each prompt, P the parameters of the
    blocks, N = %d ranks, M patches. What a rank has of the largest is shown; "formula = count".

    | method | attends keys and values that are | sent, per rank and step | parameters | queries and outputs | keys and values |
    |---|---|---|---|---|---|
    %s

    - **Sent** is what the method sends while denoising. PipeFusion's last stage sends its latents back to the first, p · c elements, c = 16 here and in the published model, where hs is 1152.
    - **Parameters** are those of blocks. Every rank also has the conditioner (timestep and caption projection); the first stage has the embedding, the last the head.
    - **Queries and outputs** are those of one self-attention. With warm-up steps PipeFusion's are 2 A, in those steps; none were taken here.
    - **Keys and values** are those of one self-attention, or those kept from step to step where that is more. A ring has those of one more rank on their way.
    - Tensor parallelism: 3 projections of a PixArt block add to the tokens. The literature's 4 · L · A is for 2, and for large N.
    - DistriFusion sends nothing in the last of S steps, here 2, which nobody would read.

    ## Ulysses and PipeFusion
    All ranks' bytes together, Ulysses ÷ PipeFusion; the formula is 4 · L / N. PipeFusion's latents' way back is left out.

    | N | formula | counted |
    |---|---|---|
    %s

    ## Parallel VAE
    Bytes that ranks sent to decode the picture, %d × %d latents, in strips of rows ([formulas](parallel_vae.md)).

    | strips | strip | halos | norms | keys and values | pixels | latents | sum | counted |
    |---|---|---|---|---|---|---|---|---|
    %s
    """
        .formatted(
            DeepPixArt.BLOCKS,
            DeepPixArt.TOKENS,
            DeepPixArt.WIDTH,
            CostTable.RANKS,
            lines(CostTable.METHODS.stream().map(this::method)),
            lines(Stream.of(2, 4).map(this::ratio)),
            table.decodingCosts().height(),
            table.decodingCosts().width(),
            lines(Stream.of(2, 4).flatMap(this::strips)));
  }

  private static String lines(Stream<String> rows) {
    return rows.collect(Collectors.joining("\n"));
  }

  private String method(Method method) {
    Cost counted = table.counted(method);
    return "| %s | %s | %s | %s | %s | %s |"
        .formatted(
            method.name(),
            method.attention(),
            cell(method.sent(), counted.sent(), "A"),
            cell(method.parameters(), counted.parameters(), "P"),
            cell(method.queries(), counted.queries(), "A"),
            cell(method.keys(), counted.keys(), "A"));
  }

  private static String cell(String formula, double counted, String unit) {
    return formula + " = " + number(counted) + " " + unit;
  }

  private String ratio(int ranks) {
    return "| %d | %s | %s |"
        .formatted(
            ranks,
            number(4.0 * DeepPixArt.BLOCKS / ranks),
            number(table.ulyssesByPipeFusion(ranks)));
  }

  private Stream<String> strips(int strips) {
    VaeCosts costs = table.decodingCosts();
    List<Long> counted = table.decoding(strips);
    return IntStream.range(0, strips)
        .mapToObj(
            strip -> {
              int neighbours = strip == 0 || strip == strips - 1 ? 1 : 2;
              long latents = strip == 0 ? costs.latents(strips) : 0;
              return "| %d | %d | %d | %d | %d | %d | %d | %d | %d |"
                  .formatted(
                      strips,
                      strip,
                      neighbours * costs.halo(),
                      (strips - 1) * costs.norms(),
                      (strips - 1) * costs.keys(strip, strips),
                      strip == 0 ? 0 : costs.pixels(strip, strips),
                      latents,
                      costs.sent(strip, strips) + latents,
                      counted.get(strip));
            });
  }

  private static String number(double value) {
    String text = String.format(Locale.ROOT, "%.3f", value);
    return text.replaceFirst("\\.?0+$", "");
  }
}
