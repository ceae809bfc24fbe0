# What the bats files about `minirun check` share: `load check-lines` after helpers.

# shellcheck shell=bash
# shellcheck disable=SC2154 # variables of bats
# shellcheck disable=SC2034 # for the test
FILTERED=${WORK:-}/helpers/filtered # the file is read once before there is a $WORK

# check_json COMMAND...: runs it (`$MINIRUN check -o json`, in whatever surroundings), keeps the document in $T/check.json.
check_json()
{
	run --separate-stderr "$@" check -o json
	echo "$output" >"$T/check.json"
	jq -e . "$T/check.json" >/dev/null || fail "no JSON: $output"
}

# field NAME FIELD: of a line of that document.
field()
{
	jq -r --arg n "$1" --arg f "$2" '.checks[] | select(.name == $n) | .[$f] // ""' "$T/check.json"
}

assert_state()
{
	[[ $(field "$1" state) == "$2" ]] || fail "$1 is $(field "$1" state), not $2: $(field "$1" detail)"
}

# assert_missing NAME TEXT: it is not ok, says so, why it matters and what mends it.
assert_not_ok()
{
	[[ $(field "$1" state) != ok ]] || fail "$1 is ok: $(field "$1" detail)"
	[[ $(field "$1" detail) == *"$2"* ]] || fail "$1 says: $(field "$1" detail)"
	[[ -n $(field "$1" why) && -n $(field "$1" mend) ]]
}

# The lines of a name, with those below it, of a text on standard input.
lines_of()
{
	awk -v name="$1" '{ column = substr($0, 10, 17); sub(/ +$/, "", column) } column == name { on = 1; print; next } /^           (why|mend): / { if (on) print; next } { on = 0 }'
}

# The command fails, and says what `check` said of NAME in the very same lines, before its last one.
assert_same_line()
{
	local name=$1 expected
	shift
	expected=$("$@" check --color never | lines_of "$name" || true)
	[[ -n $expected ]]
	# Not by bats' run, which loses the spaces that the first line begins with.
	status=0
	output=$("$@" "$T/pod.yaml" 2>"$T/stderr") || status=$?
	stderr=$(<"$T/stderr")
	[[ $status -ne 0 ]]
	assert_equal "$(lines_of "$name" <<<"$stderr")" "$expected"
	[[ $(tail -n 1 <<<"$stderr") != *mend:* ]]
}
