package io.xfuser.report;

import com.fasterxml.jackson.annotation.JsonInclude;
import com.fasterxml.jackson.annotation.JsonProperty;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * What one rank held, sent and took. Seconds are its device's: on a GPU those of the work, not of
 * enqueueing it.
 *
 * @param rank the rank
 * @param parameterBytes weights of the transformer that it owns
 * @param textParameterBytes weights of the text encoders that it asked for, 0 where another rank
 *     encodes or no prompt was to be encoded
 * @param vaeParameterBytes weights of the autoencoder that it asked for: of the decoder, 0 where it
 *     decoded nothing, and of the encoder, where it encoded a picture
 * @param kvBufferBytes keys and values kept from step to step
 * @param attentionBytes queries, keys, values and outputs of its largest self-attention
 * @param sentBytes bytes sent by channel
 * @param sentBetweenNodes what of it went to ranks on other nodes, by channel, without those that
 *     sent nothing there: other machines, where it is known on which ranks are, and for {@code
 *     ulysses} also the nodes of {@code ulysses_topology}
 * @param peakTensorBytes the most bytes of tensors held at once while denoising, kept keys and
 *     values among them, seen after each self-attention and each pass through the blocks
 * @param device where it computed, {@code cpu} or {@code cuda:0} for example
 * @param peakDeviceBytes the most of a GPU's memory that was taken, by whatever program and with
 *     what libtorch keeps for reuse, seen after each step and component; null on the CPU, and where
 *     it cannot be asked for
 * @param textEncodeSeconds encoding the prompts, 0 where another rank did
 * @param reusedTexts how much text it did not encode, because an earlier request of the pipeline
 *     had it: 1 for the prompts, and 1 for the negative ones where these are encoded by themselves
 * @param denoiseSeconds the denoising loop
 * @param stepSeconds each step
 * @param computedPasses how often the rank's blocks were computed: once a step for the whole
 *     picture, or for each patch that passes by itself; not the passes through fewer blocks that
 *     {@code skip_guidance_layers} asks for
 * @param sparedPasses how often a step cache spared the rank's blocks, for the whole picture or a
 *     patch of it
 * @param unsentChange with {@code selective_v}, how far the values that other nodes attend are from
 *     this rank's: Σ|v − v sent| / Σ|v| over all steps in which some were not sent
 * @param prefetchedBytes weights that were read ahead of their use, each by the rank that asked for
 *     it first
 * @param prefetchWaitSeconds what the rank waited for such weights
 * @param vaeSeconds decoding, 0 where another rank did, and what a picture that the request brought
 *     took to be encoded
 */
public record RankReport(
    @JsonProperty("rank") int rank,
    @JsonProperty("parameter_bytes") long parameterBytes,
    @JsonProperty("text_parameter_bytes") long textParameterBytes,
    @JsonProperty("vae_parameter_bytes") long vaeParameterBytes,
    @JsonProperty("kv_buffer_bytes") long kvBufferBytes,
    @JsonProperty("attention_bytes") long attentionBytes,
    @JsonProperty("sent_bytes") Map<String, Long> sentBytes,
    @JsonProperty("sent_between_nodes") Map<String, Sent> sentBetweenNodes,
    @JsonProperty("peak_tensor_bytes") long peakTensorBytes,
    @JsonProperty("device") String device,
    @JsonProperty("peak_device_bytes") @JsonInclude(JsonInclude.Include.NON_NULL)
        @Nullable Long peakDeviceBytes,
    @JsonProperty("text_encode_s") double textEncodeSeconds,
    @JsonProperty("reused_texts") int reusedTexts,
    @JsonProperty("denoise_s") double denoiseSeconds,
    @JsonProperty("step_s") List<Double> stepSeconds,
    @JsonProperty("computed_passes") int computedPasses,
    @JsonProperty("spared_passes") int sparedPasses,
    @JsonProperty("unsent_change") double unsentChange,
    @JsonProperty("prefetched_bytes") long prefetchedBytes,
    @JsonProperty("prefetch_wait_s") double prefetchWaitSeconds,
    @JsonProperty("vae_s") double vaeSeconds) {
  /** Messages of one channel. */
  public record Sent(@JsonProperty("bytes") long bytes, @JsonProperty("messages") long messages) {}
}
