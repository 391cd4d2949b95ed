package io.xfuser.cli.flags;

import io.xfuser.failure.ArgumentException;
import java.util.List;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.ParseResult;

/**
 * The flags that xDiT has ({@code xfuser/config/args.py}) and this program has not: known, so that
 * xDiT's command lines with their default values run, and refused with any other value.
 */
final class ForeignFlags {
  /** How Python writes a default that is no value; xDiT reads it back as such. */
  static final String NONE = "None";

  private static final String UNSET = "none";
  private static final String NOT_YET = "is not supported yet";

  private static final List<Foreign> ALL =
      List.of(
          off("--trust-remote-code", "Run code of the model's repository")
              .refused("has no counterpart, because no code of a model is ever run: leave it out"),
          off("--use_torch_compile", "Compile by torch.compile")
              .refused(
                  "has no counterpart, because there is no Python to compile and DJL gives no"
                      + " access to CUDA graphs; the programs are fused by hand instead, and on the"
                      + " CPU a step takes 0.57 to 0.96 of the time of diffusers'"
                      + " (docs/performance.md)"),
          value("--split_scheme", "row", "How tensor parallelism cuts weights")
              .refused("cannot be had: tensor parallelism cuts weights by row alone"),
          off("--use_onediff", "Compile with OneDiff"),
          value("--wan_teacache_thresh", "0.2", "Threshold of TeaCache for Wan"),
          off("--wan_teacache_use_ret_steps", "Retention steps of TeaCache for Wan"),
          value("--cross_attention_backend", UNSET, "Kernel of cross-attention"),
          off("--use_ray", "Start ranks by Ray"),
          value("--ray_world_size", "1", "Ranks under Ray"),
          off("--shard_dit", "Shard the transformer's weights"),
          value("--fully_shard_degree", "1", "Ranks that share all weights"),
          off("--use_fsdp", "Share all weights by FSDP"),
          off("--no_reshard_after_forward", "Keep gathered weights"),
          off("--memory_efficient_sharding", "Load block by block"),
          off("--use_fp8_t5_encoder", "Text encoder in 8 bits"),
          off("--use_fp8_gemms", "Projections in 8-bit floats"),
          off("--use_int8_gemms", "Projections in 8-bit integers"),
          off("--use_fp4_gemms", "Projections in 4-bit floats"),
          value("--fp8_precision_override_prefix_patterns", UNSET, "Layers kept in 8 bits"),
          value("--fp8_precision_override_suffix_patterns", UNSET, "Layers kept in 8 bits"),
          off("--use_hybrid_gemm_schedule", "8 bits at both ends, 4 between"),
          value("--num_hybrid_gemm_high_precision_steps", UNSET, "Steps at each end"),
          off("--use_hybrid_attn_schedule", "Attention kernels by step"),
          value("--hybrid_attn_low_precision_backend", UNSET, "Kernel of the middle steps"),
          value("--hybrid_attn_high_precision_backend", UNSET, "Kernel of the end steps"),
          value("--num_hybrid_attn_high_precision_steps", UNSET, "Steps at the ends"),
          value("--hybrid_attn_schedule", UNSET, "Kernel of each step"),
          off("--use_fast_attn", "DiTFastAttn"),
          value("--n_calib", "8", "Calibration prompts of DiTFastAttn"),
          value("--threshold", "0.5", "Threshold of DiTFastAttn"),
          value("--window_size", "64", "Window of DiTFastAttn"),
          value("--coco_path", UNSET, "Captions for DiTFastAttn"),
          off("--use_cache", "Stored plan of DiTFastAttn"),
          off("--use_ssta_sparse_text_to_image", "Sparse text-to-image attention"),
          on("--spargeattn_reorder_sequence", "Token order of Sparge attention"),
          on("--use_spargeattn_static_block_mask", "Neighbour mask of Sparge attention"),
          off("--use_spargeattn_head_balance", "Head balance of Sparge attention"),
          value("--spargeattn_simthreshold", "0.3", "Similarity threshold of Sparge attention"),
          value("--spargeattn_cdfthreshold", "0.92", "CDF threshold of Sparge attention"),
          value("--vsa_block_size", "128", "Block size of VSA attention"),
          value("--vsa_top_k", "1", "Least blocks of VSA attention"),
          value("--vsa_top_k_ratio", "0.0", "Least share of blocks of VSA attention"),
          several("--vsa_drop_rates", "Drop rates of VSA attention"),
          value("--vsa_calls_per_step", "2", "Calls per step of VSA attention"),
          value("--vsa_prob_threshold", "0.9", "Probability threshold of VSA attention"),
          on("--vsa_reorder_sequence", "Token order of VSA attention"),
          on("--use_vsa_static_block_mask", "Neighbour mask of VSA attention"),
          on("--use_vsa_first_frame_mask", "First-frame mask of VSA attention"),
          value("--distilled_transformer_path", UNSET, "Distilled weights, high noise"),
          value("--distilled_transformer_2_path", UNSET, "Distilled weights, low noise"),
          value("--flow_shift", UNSET, "Shift of the flow schedule"),
          value("--img_file_path", UNSET, "Picture to start from"),
          several("--input_images", "Pictures to start from"),
          off("--resize_input_images", "Fit them to the size asked for"),
          value("--task", UNSET, "Task of a model that has several"),
          value("--batch_size", "1", "Prompts of a data set in one call"),
          value("--dataset_path", UNSET, "Prompts from a CSV file"),
          value("--num_iterations", "1", "Calls"),
          value("--warmup_calls", "0", "Calls before them that do not count"),
          off("--profile", "PyTorch's profiler"),
          value("--profile_wait", "2", "Calls before profiling"),
          value("--profile_warmup", "2", "Calls that warm the profiler up"),
          value("--profile_active", "1", "Calls that are profiled"),
          off("--use_vae_channels_last_format", "Memory format of the VAE"));

  private ForeignFlags() {}

  private enum Arity {
    SWITCH,
    SWITCHED_ON,
    VALUE,
    VALUES
  }

  private record Foreign(
      String name, Arity kind, String standard, String description, String refusal) {
    Foreign(String name, Arity kind, String standard, String description) {
      this(name, kind, standard, description, NOT_YET);
    }

    Foreign refused(String why) {
      return new Foreign(name, kind, standard, description, why);
    }

    /** xDiT's way to turn off what is on by default. */
    String negation() {
      return "--no-" + name.substring(2);
    }
  }

  private static Foreign off(String name, String description) {
    return new Foreign(name, Arity.SWITCH, "off", description);
  }

  private static Foreign on(String name, String description) {
    return new Foreign(name, Arity.SWITCHED_ON, "on", description);
  }

  private static Foreign value(String name, String standard, String description) {
    return new Foreign(name, Arity.VALUE, standard, description);
  }

  private static Foreign several(String name, String description) {
    return new Foreign(name, Arity.VALUES, UNSET, description);
  }

  /** The flags, to be mixed into a command. */
  static CommandSpec spec() {
    CommandSpec spec = CommandSpec.create();
    for (Foreign flag : ALL) {
      String description = flag.description + " (default: " + flag.standard + ")";
      spec.addOption(option(flag.name, flag.kind).description(description).build());
      if (flag.kind == Arity.SWITCHED_ON) {
        spec.addOption(option(flag.negation(), Arity.SWITCH).hidden(true).build());
      }
    }
    return spec;
  }

  private static OptionSpec.Builder option(String name, Arity kind) {
    OptionSpec.Builder option = OptionSpec.builder(name);
    return switch (kind) {
      case SWITCH, SWITCHED_ON -> option.type(boolean.class).arity("0");
      case VALUE -> option.type(String.class).arity("1").paramLabel("X");
      case VALUES -> option.type(String[].class).arity("0..*").paramLabel("X");
    };
  }

  /**
   * Refuses what was asked for and cannot be had.
   *
   * @throws ArgumentException for the first flag that has not xDiT's default value
   */
  static void refuseOthersThanDefaults(ParseResult parsed) {
    for (Foreign flag : ALL) {
      OptionSpec given = parsed.matchedOption(flag.name);
      if (given != null && !isStandard(flag, given)) {
        String values =
            String.join(" ", flag.kind == Arity.SWITCH ? List.of() : given.stringValues());
        throw new ArgumentException((flag.name + " " + values).strip() + " " + flag.refusal);
      }
      if (flag.kind == Arity.SWITCHED_ON && parsed.hasMatchedOption(flag.negation())) {
        throw new ArgumentException(flag.negation() + " " + flag.refusal);
      }
    }
  }

  private static boolean isStandard(Foreign flag, OptionSpec given) {
    return switch (flag.kind) {
      case SWITCH -> false;
      case SWITCHED_ON -> true;
      case VALUE -> given.stringValues().stream().allMatch(value -> equal(flag.standard, value));
      case VALUES -> given.stringValues().isEmpty();
    };
  }

  /** Equal as text or as numbers; xDiT reads an empty text as no value. */
  private static boolean equal(String standard, String value) {
    if (standard.equals(UNSET)) {
      return value.isEmpty() || value.equals(NONE);
    }
    try {
      return Double.parseDouble(standard) == Double.parseDouble(value);
    } catch (NumberFormatException e) {
      return standard.equals(value);
    }
  }
}
