#!/usr/bin/env bash
# The main job, through the command line only. Usage: examples/demo.sh FOLDER_OF_AMLKIT
set -euo pipefail
export PATH="$1:$PATH"
export AMLKIT_HOME="$PWD/.demo/home"
unset AMLKIT_WORKSPACE PYTHONDONTWRITEBYTECODE
rm -rf .demo
mkdir -p .demo
cd .demo

say() { printf '\n$ %s\n' "$*"; "$@"; }
python_version=$(python -c 'import sys; print("%d.%d" % sys.version_info[:2])')

say amlkit init mnist mnist -o none
cd mnist
say uv run --quiet --no-project --python python --with scikit-learn --with pillow \
    python src/prepare.py --output-dir data
say amlkit data create --name digits_train --path data/train --type uri_folder -o name
say amlkit data create --name digits_test --path data/test --type uri_folder -o name
say amlkit env from-poetry --python "$python_version" -O environment.yml
say amlkit job sweep sweep.yml --name mnist_sweep --wait --query best_trial -o yaml
say amlkit job trials mnist_sweep -o table
say amlkit model register --name digits --job mnist_sweep --output model \
    --if 'metrics.test_accuracy >= 0.95' -o name
say amlkit job list -o table
say amlkit data list -o table
say amlkit model list -o table
