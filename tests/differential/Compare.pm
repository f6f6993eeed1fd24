# Compare.pm - what psql and evpq-run made of one script: the statements that the server had from each, and what each
# said of them.
package Compare;
use strict;
use warnings;
use Said;

my $longest = 300; # of what is shown

sub slurp
{
    my ($path) = @_;
    open my $in, '<:raw', $path or return '';
    local $/;
    return <$in> // '';
}

sub short
{
    my ($text) = @_;
    $text //= 'NULL';
    return length $text > $longest ? substr($text, 0, $longest) . '...' : $text;
}

# On one line, for patterns and for people.
sub squeezed
{
    my ($text) = @_;
    return ($text // '') =~ s/\s+/ /gr =~ s/^ | ?;? ?$//gr;
}

# ---- cuts ----

my $nothing = qr{(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/)*;?\s*}s;

# What both send differently without cutting differently: psql passes over empty lines, and sends the comments before a
# statement and at its end, and the semicolon.
sub trimmed
{
    my ($text) = @_;
    $text =~ s/^(?:\s+|--[^\n]*(?:\n|$))+//;
    $text =~ s/\n[ \t\r\n]*\n/\n/g;
    $text =~ s/\s+$//;
    return $text;
}

sub same_text
{
    my ($psql, $evpq) = @_;
    return 1 unless defined $evpq;
    return 1 if $psql eq $evpq || $psql eq "$evpq;";
    return 0 unless length $psql > length $evpq && substr($psql, 0, length $evpq) eq $evpq;
    return substr($psql, length $evpq) =~ m{^$nothing$};
}

# Nothing is in it: psql sends such, and evpq-run passes over it.
sub is_empty
{
    my ($text) = @_;
    return $text =~ m{^$nothing$};
}

# Pairs of the same statement; what only one of them sent is a difference. The nearest place where both are the same
# again is where they go on.
sub pair
{
    my ($psql, $evpq, $differ) = @_;
    my ($i, $j, @pairs) = (0, 0);
    $_->{trimmed} = defined $_->{text} ? trimmed($_->{text}) : undef for @$psql, @$evpq;
    while ($i < @$psql || $j < @$evpq) {
        my ($skip_i, $skip_j) = (@$psql - $i, @$evpq - $j);
        SEARCH: for my $distance (0 .. 400) {
            for my $a (0 .. $distance) {
                my $b = $distance - $a;
                next unless $i + $a < @$psql && $j + $b < @$evpq;
                next unless same_text($psql->[$i + $a]{trimmed}, $evpq->[$j + $b]{trimmed});
                ($skip_i, $skip_j) = ($a, $b);
                last SEARCH;
            }
        }
        $differ->('cut', $psql->[$i + $_]{text}, 'psql alone sends this') for 0 .. $skip_i - 1;
        $differ->('cut', $evpq->[$j + $_]{text}, 'evpq-run alone sends this') for 0 .. $skip_j - 1;
        $i += $skip_i;
        $j += $skip_j;
        push @pairs, [$psql->[$i++], $evpq->[$j++]] if $i < @$psql && $j < @$evpq;
    }
    return @pairs;
}

# ---- answers ----

sub compare_rows
{
    my ($body, $said) = @_;
    my ($tag, $names, @rows) = Said::table_of($body);
    my $evpq = $said->{rows};
    return ('rows', sprintf 'psql has %d rows, evpq-run %d', scalar @rows, scalar @$evpq) if @rows != @$evpq;
    return ('tag', "psql: $tag\nevpq-run: $said->{command}") if $tag ne '' && $tag ne $said->{command};
    for my $r (0 .. $#rows) {
        my $row = $evpq->[$r];
        my $place = 'row ' . ($r + 1);
        return ('rows', "$place: psql has " . @{$rows[$r]} . ' columns, evpq-run ' . @$row) if @$row != @{$rows[$r]};
        for my $c (0 .. $#$row) {
            my ($name, $token) = @{$row->[$c]};
            return ('rows', "column name\npsql: $names->[$c]\nevpq-run: $name") if $name ne $names->[$c];
            return ('rows', "$place, $name\npsql: " . short($rows[$r][$c]) . "\nevpq-run: " . short($token))
                unless Said::stands_for($token, $rows[$r][$c]);
        }
    }
    return;
}

# (kind, what) where the two differ.
sub compare_answers
{
    my ($psql, $evpq) = @_;
    my ($printed, $said) = ($psql->{said}, $evpq->{said});
    return ('state', 'evpq-run says nothing of it') unless $said;
    return ('state', 'what evpq-run says cannot be read: ' . short($said->{unread})) if $said->{unread};
    my $state = $said->{code} // '';
    return ('state', "psql: $printed->{state}\nevpq-run: $state " . ($said->{message} // ''))
        if $printed->{state} ne $state;
    return ('state', "evpq-run: $state\nthe log: $evpq->{state}") if $evpq->{state} ne $state;
    return if $state ne '';
    my $body = $printed->{body};
    if (defined $said->{data}) {
        return if $body eq $said->{data};
        return ('rows', 'psql: ' . short($body) . "\nevpq-run: " . short($said->{data}));
    }
    return compare_rows($body, $said) if $said->{rows};
    return if $said->{command} =~ /^(?:SELECT|FETCH) / && $body =~ /^[\x1e\n]*$/; # rows without columns
    chomp $body;
    return ('tag', 'psql: ' . short($body) . "\nevpq-run: $said->{command}") if $body ne $said->{command};
    return;
}

# What the library asks of its own accord (src/pipeline/peer.c), and the end of the session.
sub without_ours
{
    my @log = grep { ($_->{text} // '') !~ /'evpq\.together'/ } @_;
    pop @log if @log && ($log[-1]{text} // '') eq 'DISCARD ALL';
    return @log;
}

sub file
{
    my ($work, $name) = @_;
    my %found = (statements => 0, errors => 0, rows => 0, differences => []);
    my $differ = sub {
        my ($kind, $text, $what) = @_;
        push @{$found{differences}}, {kind => $kind, text => short(squeezed($text)), what => $what};
    };

    my @psql = Said::from_log(slurp("$work/psql/$name.log"));
    my ($rest, @chunks) = Said::from_psql(slurp("$work/psql/$name.out"));
    $differ->('cut', '', 'the log has ' . @psql . ' statements of psql, and psql told of ' . @chunks)
        if @psql != @chunks;
    for my $i (0 .. $#psql) {
        my $echo = "$psql[$i]{text}\n";
        my $chunk = Said::without_complaint($chunks[$i] // '');
        my $at = index $chunk, $echo;
        $differ->('cut', $psql[$i]{text}, 'psql echoes something else: ' . short($chunk)) if $at != 0;
        $psql[$i]{said} = Said::of_psql(substr($chunk, $at < 0 ? 0 : $at + length $echo));
    }

    my @evpq = without_ours(Said::from_log(slurp("$work/evpq-run/$name.log")));
    my @said = Said::from_evpq(slurp("$work/evpq-run/$name.out"));
    for (grep { ($_->{outcome} // '') eq 'not sent' } @said) {
        $differ->('cut', $_->{message}, "evpq-run does not send what is at line $_->{line}: $_->{code}");
    }
    @said = grep { ($_->{outcome} // '') ne 'not sent' } @said;
    $differ->('cut', '', 'the log has ' . @evpq . ' statements of evpq-run, and it told of ' . @said) if @evpq != @said;
    $evpq[$_]{said} = $said[$_] for 0 .. $#evpq;

    @psql = grep { !is_empty($_->{text}) } @psql;
    for (pair(\@psql, \@evpq, $differ)) {
        my ($psql, $evpq) = @$_;
        $found{statements}++;
        $found{errors}++ if $psql->{state} ne '';
        $found{rows} += @{$evpq->{said}{rows}} if $evpq->{said} && $evpq->{said}{rows};
        my ($kind, $what) = compare_answers($psql, $evpq);
        $differ->($kind, $psql->{text}, $what) if $kind;
    }
    return \%found;
}

1;
