/** The command line: xDiT's flags and our own, as settings. */
@NullMarked
package io.xfuser.cli.flags;

import org.jspecify.annotations.NullMarked;
