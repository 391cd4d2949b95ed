#!/usr/bin/env bash
# Draws the same picture with each model's hybrid layouts, one JVM per rank, on the CPU:
#   xfuser-examples/run.sh [MODEL [DIR]]
# MODEL is pixart_sigma, pixart_alpha, sd3 or flux, DIR its directory in diffusers' layout. With neither, the demo model
# draws. The pictures are in results/, named after their layouts.
set -eu

xfrun=$(cd "$(dirname "${BASH_SOURCE[0]}")/../scripts" && pwd -P)/xfrun
model=${1:-demo}
directory=${2:-}
ranks=4

# What is drawn, and how, by each model.
case $model in
  demo)
    main=PixArtSigmaExample
    task="--no_use_resolution_binning --num_inference_steps 20 --guidance_scale 3"
    ;;
  pixart_sigma)
    main=PixArtSigmaExample
    task="--num_inference_steps 20"
    ;;
  pixart_alpha)
    main=PixArtAlphaExample
    task="--num_inference_steps 20"
    ;;
  sd3)
    main=SD3Example
    task="--num_inference_steps 20"
    ;;
  flux)
    main=FluxExample
    # A negative prompt makes the guidance that CFG ranks share.
    task="--num_inference_steps 28 --negative_prompt blurry --true_cfg_scale 2"
    ;;
  *)
    echo "run.sh: no model $model; there are pixart_sigma, pixart_alpha, sd3 and flux" >&2
    exit 2
    ;;
esac
if [ "$model" != demo ] && [ -z "$directory" ]; then
  echo "run.sh: give the directory of $model" >&2
  exit 2
fi

# Hybrid layouts: the degrees of each line multiply to the number of ranks.
while read -r layout; do
  echo "$main on $ranks ranks: $layout"
  # The task and the layout are several words.
  # shellcheck disable=SC2086
  "$xfrun" --nproc_per_node "$ranks" "$main" ${directory:+--model "$directory"} \
    --prompt "a fox" $task $layout </dev/null
done <<LAYOUTS
--pipefusion_parallel_degree 2 --ulysses_degree 2
--pipefusion_parallel_degree 2 --ring_degree 2
--ulysses_degree 2 --ring_degree 2
--use_cfg_parallel --pipefusion_parallel_degree 2
--use_cfg_parallel --ulysses_degree 2
--pipefusion_parallel_degree 4 --num_pipeline_patch 8
LAYOUTS
