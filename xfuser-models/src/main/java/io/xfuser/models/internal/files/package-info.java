/**
 * Pipelines of single files: what a file is, what it needs beside it, and how they fit together.
 */
@NullMarked
package io.xfuser.models.internal.files;

import org.jspecify.annotations.NullMarked;
