/**
 * What a model gives for its pictures to be drawn: its components, what they are asked and what
 * they answer.
 */
@NullMarked
package io.xfuser.model;

import org.jspecify.annotations.NullMarked;
