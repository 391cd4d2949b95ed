/** langchain4j's image model, drawn in this JVM. */
@NullMarked
package io.xfuser.langchain4j;

import org.jspecify.annotations.NullMarked;
