/**
 * Autoencoders of diffusers: latents to pixels, and back.
 *
 * <p>A decoder or encoder is a list of {@link io.xfuser.models.internal.vae.Layer}s that Java
 * walks. Four of them look beyond one position, and nothing else does: {@link
 * io.xfuser.models.internal.vae.Convolution} and {@link io.xfuser.models.internal.vae.Halving} (one
 * row up and down), {@link io.xfuser.models.internal.vae.GroupNorm} (statistics of the whole
 * picture) and {@link io.xfuser.models.internal.vae.SelfAttention} (every position). In a video's
 * decoder {@link io.xfuser.models.internal.vae.OverFrames} turns the first two to the frames before
 * and after. What these need of rows that are not here, they ask of their {@link
 * io.xfuser.nn.Strip}.
 *
 * <p>Autoencoders of videos whose frames see those before them have {@link
 * io.xfuser.models.internal.vae.CausalConvolution} and {@link
 * io.xfuser.models.internal.vae.TimeScaling}: rows of the batch are frames, and what the next ones
 * will need is kept by a {@link io.xfuser.models.internal.vae.VideoStrip}, which passes are given.
 */
@NullMarked
package io.xfuser.models.internal.vae;

import org.jspecify.annotations.NullMarked;
