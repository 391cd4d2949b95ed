/**
 * Models from the Hugging Face hub: found in the cache that huggingface_hub uses, else downloaded
 * into it. Stands on {@code io.xfuser.weights} alone, for the names of weight files.
 */
@NullMarked
package io.xfuser.hub;

import org.jspecify.annotations.NullMarked;
