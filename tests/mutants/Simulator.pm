# Simulator.pm - the simulator in place of the tests: whether it notices an edit, alone.
package Simulator;
use strict;
use warnings;
use Program;

my ($folder, $seconds, $link);

sub prepare
{
    ($folder, $seconds) = @_;
    $link = Program::command_of('sim/sim');
    my ($core) = $link =~ m{(\S*libcore\.a)} or die "mutants: no libcore.a in: $link\n";
    $link =~ s{ -o \S+ }{ -o '$folder/sim' '$folder/edited.o' };
    $link =~ s{\Q$core\E}{'$folder/core.a'}g;
    Program::must("cp '$core' '$folder/core.a' && objcopy --strip-debug '$folder/core.a'");
}

# With the edit in edited.o. A run that does not end has been noticed, too.
sub verdict
{
    Program::quietly($link) or return ('senseless', '-');
    my $limit = 20 * $seconds + 30; # the processor may have others to serve
    my $said = `timeout -s KILL $limit '$folder/sim' --seeds 100000000 --seconds $seconds 2>&1`;
    return ('survived', "$1 seeds") if $? == 0 && $said =~ /^(\d+) seeds/m;
    return ('killed', $said =~ /seed (\d+)/ ? "seed $1" : 'no end');
}

1;
