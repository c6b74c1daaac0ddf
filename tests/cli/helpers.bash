# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
# What the tests of the command share. Processes are ended by the id they were started with.

bats_require_minimum_version 1.5.0

UPM_BUILD=${UPM_BUILD:-$BATS_TEST_DIRNAME/../../build}
UPM_BUILD=$(cd "$UPM_BUILD" && pwd)
export UPM=$UPM_BUILD/uprobe-multi
STARTED=()

# Start a program in the background; its process id is in $!. SIGINT, which a shell
# ignores for background jobs, is put back.
start() {
	perl -e '$SIG{INT} = "DEFAULT"; exec @ARGV or die' -- "$@" 3>&- &
	STARTED+=($!)
}

end_started() {
	local pid

	for pid in "${STARTED[@]}"; do
		if kill -0 "$pid" 2>/dev/null; then
			kill -KILL "$pid" || true
		fi
		wait "$pid" 2>/dev/null || true
	done
	STARTED=()
}

teardown() {
	end_started
}

# Repeat a command until it succeeds; fail after half a minute.
eventually() {
	local i

	for ((i = 0; i < 300; i++)); do
		if "$@"; then
			return 0
		fi
		sleep 0.1
	done
	echo "never succeeded: $*" >&2
	return 1
}

# Does this process hold a BPF link?
holds_link() {
	grep -qs '^link_type' "/proc/$1/fdinfo/"*
}

# Wait until the process has finished its exec of the program of this name.
is_running() {
	[[ $(cat "/proc/$1/comm" 2>/dev/null) == "$2" ]]
}

# Compare the code of libc in a process with the file: breakpoints make them differ.
libc_is_unchanged() {
	perl -e '
		my ($pid) = @ARGV;
		open my $maps, "<", "/proc/$pid/maps" or die;
		for (<$maps>) {
			my ($from, $to, $offset, $path) =
				/^(\w+)-(\w+) r-xp (\w+) \S+ \S+\s+(\S*libc\.so\.6)$/ or next;
			my $size = hex($to) - hex($from);
			open my $memory, "<:raw", "/proc/$pid/mem" or die;
			open my $file, "<:raw", $path or die;
			sysseek $memory, hex($from), 0;
			sysseek $file, hex($offset), 0;
			my ($left, $right) = ("", "");
			while (length($left) < $size) {
				sysread($memory, $left, $size - length($left), length($left)) or last;
			}
			sysread $file, $right, $size;
			my $common = length($right) < length($left) ? length($right) : length($left);
			exit(substr($left, 0, $common) eq substr($right, 0, $common) ? 0 : 1);
		}
		exit 2;
	' "$1"
}

libc_is_changed() {
	local status=0

	libc_is_unchanged "$1" || status=$?
	[[ $status -eq 1 ]]
}

# Run a command line on a terminal of its own; what it draws goes to standard output.
# The terminal's settings before and after are in the files before and after.
on_terminal() {
	local line=$1

	TERM=xterm script -qec "stty rows 24 cols 80; stty -g >'$BATS_TEST_TMPDIR/before'; $line; \
		stty -g >'$BATS_TEST_TMPDIR/after'" /dev/null </dev/null
}
