/** Tests of meshes, communicators and transports, and what they share. */
@NullMarked
package io.xfuser.internal.parallel;

import org.jspecify.annotations.NullMarked;
