/** Pictures and videos over HTTP, as OpenAI's clients ask for them. */
@NullMarked
package io.xfuser.server;

import org.jspecify.annotations.NullMarked;
