/**
 * LoRAs: files of small matrices whose products are added to a model's weights as they are read.
 */
@NullMarked
package io.xfuser.models.internal.lora;

import org.jspecify.annotations.NullMarked;
