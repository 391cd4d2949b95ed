/**
 * Pipelines for DJL's {@code Criteria}, by a model zoo of one model. An engine of our own would let
 * {@code optModelPath} do without it, but would show up as an engine in every program that has
 * xfuser on its class path.
 */
@NullMarked
package io.xfuser.djl;

import org.jspecify.annotations.NullMarked;
