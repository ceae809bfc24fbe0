# What the bats files of the virtual machine have beyond tests/helpers.bash, which this loads:
#
#	load_profile NAME <<RULES    loads an AppArmor profile that goes when its test ends
#	profile_mode NAME            enforce, complain, ... or nothing where no such profile is loaded
#	audit_lines                  what AppArmor has reported since the test began
#	demo_store                   makes MINIRUN_STORE one with the demo's images, for a file with the line "# image: nginx"
#
# After each test, beyond what is checked anyhow, the loaded profiles are those from before it (but for minirun-default), or
# the test fails.

# shellcheck shell=bash
# shellcheck disable=SC2154 # status, output and stderr are bats'
# shellcheck source=../helpers.bash
source "$(dirname "${BASH_SOURCE[0]}")/../helpers.bash"

PROFILES=/sys/kernel/security/apparmor/profiles

# minirun-default comes with the first pod and stays.
loaded_profiles()
{
	grep -v '^minirun-default ' "$PROFILES" | sort
}

# The bats files of the virtual machine call these, in place of minirun_setup_file and so on.
vm_setup_file()
{
	[[ -e /run/vm/command ]] || {
		echo "this file is for the virtual machine: tests/vm/bats $BATS_TEST_FILENAME" >&2
		return 1
	}
	# Audit's records are limited as all of printk's are: what is counted here must not be left out.
	echo 0 >/proc/sys/kernel/printk_ratelimit
	minirun_setup_file
}

# All but minirun's own, which comes with the first pod and stays until the machine stops.
other_profiles()
{
	sort "$PROFILES" | grep -v '^minirun-default' || true
}

vm_setup()
{
	minirun_setup
	other_profiles >"$WORK/profiles.before"
	# The kernel keeps as many lines as it has room for; a mark says where this test's begin.
	MARK="vm-test-$BATS_TEST_NUMBER-$RANDOM"
	echo "$MARK" >/dev/kmsg
}

vm_teardown()
{
	local result=0 name
	minirun_teardown || result=1
	for name in "${LOADED_PROFILES[@]}"; do
		echo -n "$name" >/sys/kernel/security/apparmor/.remove || true
	done
	if [[ -n ${BATS_TEST_COMPLETED:-} ]] && ! other_profiles | diff "$WORK/profiles.before" -; then
		echo "these AppArmor profiles came or went"
		result=1
	fi
	return $result
}

LOADED_PROFILES=()

# load_profile NAME [FLAGS] <<RULES: the rules alone; what stands around them is written here. FLAGS as in the language:
# complain, unconfined, attach_disconnected.
load_profile()
{
	local file=$T/$1.profile
	{
		echo "abi <abi/3.0>,"
		echo "#include <tunables/global>"
		echo "profile $1 flags=(attach_disconnected,mediate_deleted${2:+,$2}) {"
		cat
		echo "}"
	} >"$file"
	apparmor_parser --replace --skip-cache "$file" || return
	LOADED_PROFILES+=("$1")
}

profile_mode()
{
	sed -n "s/^$1 (\(.*\))\$/\1/p" "$PROFILES"
}

audit_lines()
{
	dmesg | sed "1,/$MARK/d" | grep -a 'apparmor='
}

# For setup_file. What was unpacked outside is taken as it is; what pods write has to be on a tmpfs.
demo_store()
{
	local folder outside=$REPO/demo/cache/store-0
	MINIRUN_STORE=$WORK/demo-store
	export MINIRUN_STORE
	if [[ ! -d $outside ]]; then
		"$MINIRUN" image load -q "$WORK/busybox.tar" busybox >/dev/null &&
			"$MINIRUN" image load -q --config "$REPO/demo/images/nginx.config.json" "$REPO/demo/cache/nginx.tar.gz" nginx >/dev/null
		return
	fi
	for folder in images layers; do
		mkdir -p "$MINIRUN_STORE/$folder"
		mount --bind "$outside/$folder" "$MINIRUN_STORE/$folder" || return
	done
}

# For its teardown_file, before the other's.
leave_demo_store()
{
	[[ ! -d $REPO/demo/cache/store-0 ]] || umount "$MINIRUN_STORE"/{images,layers}
}
