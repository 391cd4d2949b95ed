/** Attention over tokens that may live on several ranks or come from an earlier step. */
@NullMarked
package io.xfuser.attention;

import org.jspecify.annotations.NullMarked;
