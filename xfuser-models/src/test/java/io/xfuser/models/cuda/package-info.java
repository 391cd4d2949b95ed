/** What only a GPU can show: run with {@code -Dtest.excludedGroups= -Dgroups=gpu}. */
@NullMarked
package io.xfuser.models.cuda;

import org.jspecify.annotations.NullMarked;
