/** What all models have alike; a package below this one is a model or parts that models share. */
@NullMarked
package io.xfuser.models;

import org.jspecify.annotations.NullMarked;
