/** Starting the ranks of a run as processes of their own, by torchrun's contract. */
@NullMarked
package io.xfuser.cli.launch;

import org.jspecify.annotations.NullMarked;
