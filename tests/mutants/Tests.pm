# Tests.pm - runs single tests of the one program, and knows which of them execute which line. A test is
# "PROGRAM NAME". What each executes is measured once by gcov and kept in a folder beside the log, a file for
# each program of tests; a line is known by its function and its text, so that an edit elsewhere spoils nothing.
package Tests;
use strict;
use warnings;
use Cwd qw(abs_path);
use POSIX ();
use Time::HiRes qw(time sleep);
use Edits;
use Program;
use Server;

sub descendants
{
    my ($pid) = @_;
    my %children;
    for my $stat (glob '/proc/[0-9]*/stat') {
        open my $in, '<', $stat or next;
        my $line = <$in> // next;
        push @{$children{$2}}, $1 if $line =~ /^(\d+) \(.*\) \S (\d+)/;
    }
    my @all = ($pid);
    for (my $i = 0; $i < @all; $i++) {
        push @all, @{$children{$all[$i]} // []};
    }
    return @all;
}

sub start
{
    my ($binary, $program, $names) = @_;
    pipe my $out, my $in or die "mutants: pipe: $!\n";
    my $pid = fork // die "mutants: fork: $!\n";
    if (!$pid) {
        POSIX::dup2(fileno $in, 1);
        open STDERR, '>', '/dev/null';
        open STDIN, '<', '/dev/null';
        setpgrp;
        $ENV{MUTANTS_PICK} = join ' ', @$names;
        exec $binary, $program or POSIX::_exit(127);
    }
    return ($pid, $out);
}

# Runs these tests of a program, each for so many seconds at most. Returns the seconds that each took, and the
# name of the first that failed, where it stops when it is told to.
sub run
{
    my ($binary, $program, $names, $limit, $stop) = @_;
    my ($pid, $out) = start($binary, $program, $names);
    my ($rest, $failed, $since, %took, %bad) = ('', undef, time);
    my ($hung, $ended) = (0, 0);
    while (!$ended) {
        my ($now) = grep { !exists $took{$_} } @$names;
        my $left = $since + $limit->($now // $names->[-1]) - time;
        my $ready = '';
        vec($ready, fileno $out, 1) = 1;
        if ($left <= 0 || select($ready, undef, undef, $left) < 1) {
            $hung = 1;
            last;
        }
        $ended = !sysread $out, $rest, 65536, length $rest;
        while ($rest =~ s/^(.*)\n//) {
            my ($not, $name) = $1 =~ /^(not )?ok \d+ - [^:]*:([^:]+):/ or next;
            $took{$name} += time - $since;
            $since = time;
            next unless $not;
            $bad{$name} = 1;
            $failed //= $name;
        }
        last if $failed && $stop;
    }
    kill 'KILL', descendants($pid) if !$ended;
    waitpid $pid, 0;
    if (!$failed && ($hung || $?)) { # it died, or hangs
        ($failed) = grep { !exists $took{$_} } @$names;
        $failed //= $names->[-1] // '?';
    }
    delete @took{keys %bad};
    return (\%took, $failed);
}

# ---- what a test executes ----

sub key
{
    my ($name) = @_;
    return $name =~ s/ => .*//sr;
}

# The lines of the sources, and the keys of the edits there: path => line => [key...].
sub keys_by_line
{
    my ($edits) = @_;
    my %lines;
    for my $edit (@$edits) {
        $lines{$edit->{path}}{$edit->{line}}{key($edit->{name})} = 1;
    }
    return \%lines;
}

# The keys that were executed, of those in gcov's words.
sub executed
{
    my ($lines, $gcov) = @_;
    my ($path, $last, %found) = ('', 0);
    while (<$gcov>) {
        my ($count, $line, $text) = /^\s*(\S+?)\*?:\s*(\d+):(.*)/ or next;
        if ($line == 0) {
            $path = $1 if $text =~ m{^Source:.*?/(src/\w+/\w+\.c)$};
            $last = 0;
            next;
        }
        $last = $count =~ /^\d/ if $count ne '-';
        my $keys = $lines->{$path}{$line} or next;
        @found{keys %$keys} = () if $last;
    }
    return sort keys %found;
}

# The names of a program's tests, in the order of its source, from itself.
sub names_of
{
    my ($folder, $program) = @_;
    my $binary = Program::linked("$folder/plain", $program) or die "mutants: $program cannot be linked\n";
    local $ENV{MUTANTS_LIST} = 1;
    open my $in, '-|', $binary, $program or die "mutants: $binary: $!\n";
    chomp(my @said = <$in>);
    my %seen;
    return grep { /^\w+$/ && !$seen{$_}++ } @said;
}

# The names that a file knows already, and the last number it has given to a key.
sub known
{
    my ($file) = @_;
    my (%names, $last);
    open my $in, '<', $file or return (\%names, 0);
    while (<$in>) {
        $last = $1 if /^key\t(\d+)/;
        $names{$1} = 1 if /^(?:test|fails)\t(\w+)/;
    }
    return (\%names, $last // 0);
}

# Runs these tests of a program with the sources compiled for gcov.
sub measure
{
    my ($folder, $cover, $program, $lines, $file, @names) = @_;
    local $ENV{MUTANTS_COVER} = "$folder/counts";
    local $ENV{GCOV_PREFIX} = "$folder/counts/-";
    system('rm', '-rf', "$folder/counts");
    Server::renew() if $program =~ /^it_/;
    my $binary = Program::linked("$folder/covered", $program, glob("$cover/*.o"), '--coverage')
        or die "mutants: $program cannot be linked; see $folder/said\n";
    my (%took, @left);
    my %tried;
    for (@left = @names; @left;) {
        my ($took, $failed) = run($binary, $program, [@left], sub { 60 }, 0);
        @took{keys %$took} = values %$took;
        last unless $failed;
        @left = grep { $_ ne $failed && !exists $took->{$_} } @left;
        if ($tried{$failed}++) {
            warn "mutants: $program: $failed fails as it is, and is left out\n";
        } else { # the machine may have been slow
            push @left, $failed;
            Server::renew() if $program =~ /^it_/;
        }
    }
    my (undef, $n) = known($file);
    my ($said, %number) = ('');
    for my $name (@names) {
        if (!exists $took{$name}) {
            $said .= "fails\t$name\n";
            next;
        }
        my ($at) = glob "$folder/counts/$name$cover";
        my @keys;
        if (defined $at && -d $at) {
            system("ln -sf '$cover'/*.gcno '$at/'");
            open my $gcov, '-|', "cd '$at' && gcov -t *.gcda 2>/dev/null" or die "mutants: gcov: $!\n";
            @keys = executed($lines, $gcov);
            close $gcov;
        }
        for my $key (grep { !exists $number{$_} } @keys) {
            $number{$key} = ++$n;
            $said .= "key\t$n\t$key\n";
        }
        $said .= sprintf "test\t%s\t%.2f\t%s\n", $name, $took{$name}, join ',', @number{@keys};
    }
    open my $out, '>>', $file or die "mutants: $file: $!\n";
    syswrite $out, $said;
    close $out;
    system('rm', '-rf', "$folder/counts");
}

my (%seconds, %covers, %count);

sub remember
{
    my ($program, $file) = @_;
    open my $in, '<', $file or die "mutants: $file: $!\n";
    my %key;
    while (<$in>) {
        chomp;
        my ($kind, @fields) = split /\t/, $_, 4;
        if ($kind eq 'key') {
            $key{$fields[0]} = $fields[1];
            next;
        }
        next if $kind ne 'test';
        my $test = "$program $fields[0]";
        $seconds{$test} = $fields[1];
        for my $key (map { $key{$_} } split /,/, $fields[2] // '') {
            $covers{$key}{$test} = 1;
            $count{$test}{(split / /, $key)[0]}++;
            $count{$test}{''}++;
        }
    }
}

sub prepare
{
    my ($top, $folder, $kept, $edits, @programs) = @_;
    mkdir $kept;
    $kept = abs_path($kept);
    my $lines = keys_by_line($edits);
    my %new;
    for my $program (@programs) {
        my ($known) = known("$kept/$program");
        my @names = grep { !$known->{$_} } names_of($folder, $program);
        $new{$program} = \@names if @names;
    }
    if (%new) {
        mkdir "$kept/cover";
        my ($header) = sort { $a <=> $b } map { -M } glob("$top/src/*/*.h $top/include/evpq/*.h");
        for my $path (sort keys %$lines) {
            (my $flat = $path) =~ tr{/}{_};
            my $built = -M "$kept/cover/$flat.o" // 1e9;
            next if $built < -M "$top/$path" && $built < $header; # a struct of another shape kills tests
            Program::compile("$top/$path", "$kept/cover/$flat.o", '--coverage -fno-sanitize=all -O0')
                or die "mutants: $path does not compile\n";
        }
    }
    for my $program (@programs) {
        measure($folder, "$kept/cover", $program, $lines, "$kept/$program", @{$new{$program}}) if $new{$program};
        remember($program, "$kept/$program");
    }
}

sub seconds
{
    my ($test) = @_;
    return $seconds{$test};
}

# How much of what a test executes is in that file: a test that is about it has more to say.
sub share
{
    my ($test, $path) = @_;
    return ($count{$test}{$path} // 0) / ($count{$test}{''} || 1);
}

# The tests that execute what is edited.
sub for_edit
{
    my ($edit) = @_;
    return keys %{$covers{key($edit->{name})} // {}};
}

1;
