# SPDX-License-Identifier: LGPL-2.1-only OR BSD-2-Clause
#
# perl workload.pl SECONDS
#
# Sorts, matches, counts words and writes and reads a file, over and over. Each
# round does the same work and must come to the same result; the last line says so.
use strict;
use warnings;
use IO::Handle;

my $end = time + shift;
my ($rounds, $wrong, $first) = (0, 0, undef);

sub one_round {
	my $path = "/tmp/uprobe-multi-demo.$$";
	my %seen;
	my @lines = map { my $n = $_ * 7919 % 10007; "line $n of " . sprintf('%08x', $n * $n) } 1 .. 2000;

	open(my $out, '>', $path) or die "$path: $!";
	$out->autoflush(1);
	print $out "$_\n" for sort @lines[0 .. 199];
	close $out;
	open(my $in, '<', $path) or die "$path: $!";
	while (<$in>) {
		$seen{lc $1}++ while /([a-z]+|[0-9a-f]{2})/gi;
	}
	close $in;
	unlink $path;
	return unpack('%32C*', join ' ', map { "$_=$seen{$_}" } sort keys %seen);
}

while (time < $end) {
	my $result = one_round();
	$first = $result unless defined $first;
	$wrong++ if $result != $first;
	$rounds++;
}
print "$rounds rounds, $wrong wrong results\n";
exit($wrong ? 1 : 0);
