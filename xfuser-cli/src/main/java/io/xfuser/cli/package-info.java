/** The command: a general runner for any supported model. */
@NullMarked
package io.xfuser.cli;

import org.jspecify.annotations.NullMarked;
