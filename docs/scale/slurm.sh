#!/usr/bin/env bash
# Workers of a study as a Slurm array: sbatch slurm.sh
# The driver runs on a login or service node, in tmux or as a job of its own without a GPU:
#   augsearch run --engine workers --name factory --space factory --data /shared/images \
#     --storage postgresql+psycopg://USER@HOST/DATABASE
# The password is in ~/.pgpass (mode 600), which every node sees.
#SBATCH --job-name=augsearch-worker
#SBATCH --array=1-16
#SBATCH --gres=gpu:1
#SBATCH --cpus-per-task=4
#SBATCH --mem=16G
#SBATCH --time=04:00:00
#SBATCH --signal=B:TERM@60   # its run goes back to the board before the time is over
set -euo pipefail

exec augsearch worker \
  --study "${STUDY:-factory}" \
  --storage "${STORAGE:?postgresql+psycopg://USER@HOST/DATABASE}"
