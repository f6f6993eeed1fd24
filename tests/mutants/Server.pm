# Server.pm - the throwaway server that tests/with-postgres has started, put back to what it was: a mutant
# may leave anything behind in it.
package Server;
use strict;
use warnings;

my $kept;

sub ctl
{
    return system("$ENV{EVPQ_PG_CTL} $_[0] >/dev/null 2>&1") == 0;
}

sub copy
{
    my ($from, $to) = @_;
    system('rm', '-rf', $to) == 0 && system('cp', '-a', $from, $to) == 0 or die "mutants: $to cannot be written\n";
}

# Keeps a copy of the data as they are, in that folder.
sub keep
{
    my ($folder) = @_;
    $kept = "$folder/data";
    ctl('stop') or die "mutants: the server does not stop\n";
    copy($ENV{EVPQ_PGDATA}, $kept);
    ctl('start') or die "mutants: the server does not start\n";
}

sub renew
{
    ctl('immediate-stop');
    copy($kept, $ENV{EVPQ_PGDATA});
    ctl('start') or die "mutants: the server does not start again\n";
}

1;
