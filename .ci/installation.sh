# An installation of its own in a temporary folder, for the lanes: nothing of it is left behind, and no data is touched.
# shellcheck shell=bash
root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
place="$(mktemp -d)"

stop_emulator() {
	if [ -f "$place/data/emulator/emulator.json" ]; then
		kill "$("$root/.venv/bin/python" -c 'import json, sys; print(json.load(open(sys.argv[1]))["pid"])' \
			"$place/data/emulator/emulator.json")" 2>/dev/null || true
	fi
	rm -rf "$place"
}
trap stop_emulator EXIT

mkdir -p "$place/data/batches"
ln -s "$root/data/samples" "$place/data/samples"
cp "$root/dagster.yaml" "$root/workspace.yaml" "$place"
for setting in $(compgen -e CJ_ || true) DAGSTER_HOME; do
	unset "$setting"
done
export PATH="$root/.venv/bin:$PATH"
CJ_EMULATOR_URL="http://127.0.0.1:$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')"
export CJ_EMULATOR_URL
cd "$place"
