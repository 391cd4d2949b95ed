package io.xfuser.models.internal.qwenimage;

import java.util.Arrays;
import java.util.List;

/** What a pipeline of Qwen-Image is for: its class, and what it asks its language model. */
enum QwenImageTask {
  /** To draw what a prompt says, perhaps beginning with a picture. */
  DRAW(
      "QwenImagePipeline QwenImageImg2ImgPipeline QwenImageInpaintPipeline",
      34,
      "Describe the image by detailing the color, shape, size, texture, quantity, text, spatial"
          + " relationships of the objects and background:"),
  /**
   * To change a picture, all of it or what a mask covers; the language model reads it in the size
   * in which it is changed.
   */
  EDIT("QwenImageEditPipeline QwenImageEditInpaintPipeline", 64, Texts.CHANGE),
  /** To change and combine pictures, which the language model reads in a smaller size. */
  EDIT_PLUS("QwenImageEditPlusPipeline", 64, Texts.CHANGE);

  private final String classNames;
  private final int dropped;
  private final String instruction;

  QwenImageTask(String classNames, int dropped, String instruction) {
    this.classNames = classNames;
    this.dropped = dropped;
    this.instruction = instruction;
  }

  private static final class Texts {
    static final String CHANGE =
        "Describe the key features of the input image (color, shape, size, texture, objects,"
            + " background), then explain how the user's text instruction should alter or modify"
            + " the image. Generate a new image that meets the user's requirements while"
            + " maintaining consistency with the original input where appropriate.";
  }

  static QwenImageTask of(String className) {
    return Arrays.stream(values())
        .filter(task -> task.classNames().contains(className))
        .findFirst()
        .orElseThrow();
  }

  /** The classes in diffusers. */
  List<String> classNames() {
    return List.of(classNames.split(" ", -1));
  }

  /** Whether it looks at pictures. */
  boolean edits() {
    return this != DRAW;
  }

  /** The tokens of a message before what is the user's, which are dropped. */
  int dropped() {
    return dropped;
  }

  /**
   * What the language model is given.
   *
   * @param pictures for each picture what stands for it
   */
  String message(String prompt, List<String> pictures) {
    StringBuilder user = new StringBuilder();
    for (int i = 0; i < pictures.size(); i++) {
      user.append(this == EDIT_PLUS ? "Picture " + (i + 1) + ": " : "")
          .append("<|vision_start|>")
          .append(pictures.get(i))
          .append("<|vision_end|>");
    }
    return "<|im_start|>system\n%s<|im_end|>\n<|im_start|>user\n%s<|im_end|>\n<|im_start|>assistant\n"
        .formatted(instruction, user.append(prompt));
  }
}
