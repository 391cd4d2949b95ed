package io.xfuser.models.internal.flux2;

import java.util.List;

/** What distinguishes one pipeline of Flux.2 from the other beside the sizes of its components. */
enum Flux2Variant {
  /** {@code Flux2Pipeline}: Mistral3 with the pipeline's own message of the system. */
  DEV(
      "flux2",
      true,
      10,
      "<s>[SYSTEM_PROMPT]You are an AI that reasons about image descriptions. You give structured"
          + " responses focusing on object relationships, object\nattribution and actions without"
          + " speculation.[/SYSTEM_PROMPT][INST]%s[/INST]"),

  /** {@code Flux2KleinPipeline}: Qwen3 without thinking. */
  KLEIN(
      "flux2_klein",
      false,
      9,
      "<|im_start|>user\n%s<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n");

  /** Where a text has a picture, if a prompt could bring one. */
  private static final String PICTURE = "[IMG]";

  private final String title;
  private final boolean told;
  private final int step;
  private final String template;

  Flux2Variant(String title, boolean told, int step, String template) {
    this.title = title;
    this.told = told;
    this.step = step;
    this.template = template;
  }

  /** The model's short name. */
  String title() {
    return title;
  }

  /** Whether the transformer is told the strength of the prompt. */
  boolean told() {
    return told;
  }

  /** The text encoder's layers whose states stand side by side. */
  List<Integer> layers() {
    return List.of(step, 2 * step, 3 * step);
  }

  /** What the chat template of the text encoder makes of {@code prompt}. */
  String message(String prompt) {
    return template.formatted(this == DEV ? prompt.replace(PICTURE, "") : prompt);
  }
}
