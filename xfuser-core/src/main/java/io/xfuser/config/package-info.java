/** What a user asks for: plain records, and the command line that fills them. */
@NullMarked
package io.xfuser.config;

import org.jspecify.annotations.NullMarked;
