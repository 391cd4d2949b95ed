#!/usr/bin/env bash
# Draws the same picture with each model's hybrid layouts, one JVM per rank, on the CPU:
#   xfuser-examples/run.sh [MODEL [DIR]]
# MODEL is pixart_sigma, pixart_alpha, sd3, flux, flux2, zimage, qwenimage, chroma, sana, hunyuandit, latte, wan, cogvideox, hunyuanvideo or dit, DIR its directory in diffusers' layout. With
# neither, the demo model draws. What is made is in results/, named after the layouts.
set -eu

xfrun=$(cd "$(dirname "${BASH_SOURCE[0]}")/../scripts" && pwd -P)/xfrun
model=${1:-demo}
directory=${2:-}
ranks=4

# What is drawn, and how, by each model.
subject=(--prompt "a fox")
guided=yes
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
    task="--num_inference_steps 28"
    guided=
    ;;
  flux2)
    main=Flux2Example
    task="--num_inference_steps 4"
    guided= # klein is distilled, dev told
    ;;
  sana)
    main=SanaExample
    task="--num_inference_steps 20"
    ;;
  zimage)
    main=ZImageExample
    task="--num_inference_steps 20"
    ;;
  qwenimage)
    main=QwenImageExample
    task="--num_inference_steps 20 --negative_prompt blurry"
    ;;
  chroma)
    main=ChromaExample
    task="--num_inference_steps 30"
    ;;
  hunyuandit)
    main=HunyuanDiTExample
    task="--num_inference_steps 50"
    ;;
  wan)
    main=WanExample
    task="--num_inference_steps 20 --num_frames 33"
    ;;
  cogvideox)
    main=CogVideoXExample
    task="--num_inference_steps 20"
    ;;
  hunyuanvideo)
    main=HunyuanVideoExample
    task="--num_inference_steps 20 --num_frames 33"
    ;;
  latte)
    main=LatteExample
    task="--num_inference_steps 20"
    ;;
  dit)
    main=DiTExample
    task="--num_inference_steps 20"
    subject=(--class_labels 277) # a red fox
    ;;
  *)
    echo "run.sh: no model $model; there are pixart_sigma, pixart_alpha, sd3, flux, flux2, zimage, qwenimage, chroma, sana, hunyuandit, latte, wan, cogvideox, hunyuanvideo and dit" >&2
    exit 2
    ;;
esac
if [ "$model" != demo ] && [ -z "$directory" ]; then
  echo "run.sh: give the directory of $model" >&2
  exit 2
fi

# Hybrid layouts: the degrees of each line multiply to the number of ranks.
while read -r layout; do
  case $guided$layout in
    --use_cfg_parallel*) continue ;; # Flux has no negative prompt here
  esac
  echo "$main on $ranks ranks: $layout"
  # The task and the layout are several words.
  # shellcheck disable=SC2086
  "$xfrun" --nproc_per_node "$ranks" "$main" ${directory:+--model "$directory"} \
    "${subject[@]}" $task $layout </dev/null
done <<LAYOUTS
--pipefusion_parallel_degree 2 --ulysses_degree 2
--pipefusion_parallel_degree 2 --ring_degree 2
--ulysses_degree 2 --ring_degree 2
--distrifusion_degree 2 --ulysses_degree 2
--use_cfg_parallel --pipefusion_parallel_degree 2
--use_cfg_parallel --ulysses_degree 2
--pipefusion_parallel_degree 4 --num_pipeline_patch 8
LAYOUTS
