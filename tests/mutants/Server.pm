# Server.pm - the throwaway server that tests/with-postgres has started, put back to what it was: a mutant
# may leave anything behind in it. Its objects and roles are dropped; where that fails, its data are replaced.
package Server;
use strict;
use warnings;

my ($kept, $roles);

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
    $roles = psql("select string_agg(rolname, ' ') from pg_roles where rolname not like 'pg\\\\_%'") // '';
    chomp $roles;
    ctl('stop') or die "mutants: the server does not stop\n";
    copy($ENV{EVPQ_PGDATA}, $kept);
    ctl('start') or die "mutants: the server does not start\n";
}

sub psql
{
    my ($sql) = @_;
    my $psql = $ENV{EVPQ_PSQL} // return;
    local $ENV{PGOPTIONS} = "-c client_min_messages=error";
    open my $out, '-|', $psql, '-XqAtc', $sql, '-v', 'ON_ERROR_STOP=1' or return;
    my @said = <$out>;
    return close $out ? join '', @said : undef;
}

my $alter = 'postgresql.auto.conf';

sub same_settings
{
    return system('cmp', '-s', "$kept/$alter", "$ENV{EVPQ_PGDATA}/$alter") == 0;
}

sub swept
{
    return if !same_settings();
    my $roles = "rolname not like 'pg\\_%' and rolname <> all (string_to_array('$roles', ' '))";
    return defined psql(<<END);
select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid() and backend_type = 'client backend';
drop schema public cascade;
create schema public authorization pg_database_owner;
grant usage on schema public to public;
do \$\$ declare it text; begin
    for it in select nspname from pg_namespace where nspname not like 'pg\\_%'
        and nspname not in ('public', 'information_schema') loop
        execute format('drop schema %I cascade', it);
    end loop;
    for it in select rolname from pg_roles where $roles loop
        execute format('drop owned by %I; drop role %1\$I', it);
    end loop;
end \$\$
END
}

sub renew
{
    return if swept();
    ctl('immediate-stop');
    copy($kept, $ENV{EVPQ_PGDATA});
    ctl('start') or die "mutants: the server does not start again\n";
}

1;
