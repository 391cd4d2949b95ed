/** A pipeline as a bean of Spring Boot, Spring AI's image model, health and metrics. */
@NullMarked
package io.xfuser.spring;

import org.jspecify.annotations.NullMarked;
