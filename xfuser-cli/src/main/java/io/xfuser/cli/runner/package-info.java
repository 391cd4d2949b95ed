/** What the examples' mains share: from a command line to files and an exit status. */
@NullMarked
package io.xfuser.cli.runner;

import org.jspecify.annotations.NullMarked;
