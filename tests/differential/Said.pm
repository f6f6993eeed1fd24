# Said.pm - what a tool said about each statement of a script, and what the server's log has of them.
package Said;
use strict;
use warnings;

my ($field, $record, $null) = ("\x1f", "\x1e", "\x1d"); # `side' has psql print these

# ---- the server's log ----

# The statements that a session sent, in order: {text, state}, where state is '' or the SQLSTATE of the error. Messages
# begin with @KIND@DATABASE@SQLSTATE@. What the server comes to run is logged before it is run, and its time after it; an
# error in between belongs to it. Any other with a statement stands alone: the server did not come to run that one. One
# without a statement comes from the end of the transaction, next to the time of what was run, or from a Describe, which
# has the times of its Parse and Bind before it: the text is not known then, and undef.
sub from_log
{
    my ($log) = @_;
    my (@statements, $state, $runs);
    my $times = 0;
    my $alone = sub {
        if (defined $state && $times > 1) {
            push @statements, {text => undef, state => $state};
        } elsif (defined $state && @statements) {
            $statements[-1]{state} = $state;
        }
        $state = undef;
    };
    $log =~ s/\n\t/\x00/g; # lines of one message
    for (split /\n/, $log) {
        next unless s/^\@client backend\@regression\@(\w{5})\@//;
        my $said = $1;
        s/\x00/\n/g;
        if (/^LOG:  (?:statement|execute [^:\n]*): (.*)/s) {
            $alone->();
            push @statements, {text => $1, state => ''};
            ($runs, $times) = (1, 0);
        } elsif (/^LOG:  duration: /) {
            $alone->();
            $runs = 0;
            $times++;
        } elsif (/^(?:ERROR|FATAL):  /) {
            $alone->();
            $state = $said;
        } elsif (/^STATEMENT:  (.*)/s && defined $state) {
            if ($runs && $statements[-1]{text} eq $1) {
                $statements[-1]{state} = $state;
            } else {
                push @statements, {text => $1, state => $state};
            }
            ($state, $runs) = (undef, 0);
        }
    }
    $alone->();
    return @statements;
}

# ---- psql ----

# One for each statement: what psql echoed, and what it printed for it. The time that it took ends it.
sub from_psql
{
    my ($out) = @_;
    $out =~ s/^.*?Timing is on\.\n//s;
    my @chunks = split /^Time: [0-9.]+ ms[^\n]*\n/m, $out, -1;
    my $rest = pop @chunks;
    return ($rest, @chunks);
}

my $complaint = qr/^psql:[^\n]*?:(?:[0-9]+:)? (?:[A-Z0-9]+|error|warning):[^\n]*\n/m;

# Without what psql says to a line that ends the data of a COPY that the server had refused.
sub without_complaint
{
    my ($chunk) = @_;
    return $chunk =~ s/^(?:psql:[^\n]*: error: invalid command \\\.[^\n]*\n)+//r;
}

# {state, body}, of what stands behind the echo.
sub of_psql
{
    my ($printed) = @_;
    my @states = $printed =~ /^psql:[^\n]*?:[0-9]+: (?:ERROR|FATAL|PANIC):  (\w{5})$/mg;
    $printed =~ s/$complaint//g;
    return {state => join(' ', @states), body => $printed};
}

# The rows of what psql printed, and the tag behind them: ([names], [row]..., tag).
sub table_of
{
    my ($body) = @_;
    my $tag = '';
    $tag = $1 if $body =~ s/(?<=\n)((?:INSERT 0|UPDATE|DELETE|MERGE) [0-9]+)\n\z//;
    chomp $body;
    my @rows = map { [map { $_ eq $null ? undef : $_ } split /$field/, $_, -1] } split /$record/, $body, -1;
    @rows = ([]) unless @rows;
    $_->[0] //= '' for grep { !@$_ } @rows[1 .. $#rows];
    return ($tag, @rows);
}

# ---- evpq-run ----

my %escape = (b => "\b", f => "\f", n => "\n", r => "\r", t => "\t", '"' => '"', '\\' => '\\');

sub string
{
    my ($text) = @_;
    $text =~ s{\\(?:u00([0-9a-f]{2})|(.))}{defined $1 ? chr hex $1 : $escape{$2} // "\\$2"}ge;
    return $text;
}

my $string = qr/"((?:[^"\\]++|\\.)*+)"/;
my $json = qr/(?<json>"(?:[^"\\]++|\\.)*+"|\{(?:[^{}\[\]"]++|(?&json))*+\}|\[(?:[^{}\[\]"]++|(?&json))*+\]|[^\s,{}\[\]"]++)/;

# What one line says: {line, command, rows, data} or {line, code, outcome}. A value is [text, token]: how the token is
# to be read, text or json, the line does not say.
sub of_evpq
{
    my ($line) = @_;
    my %said;
    $line =~ /\G\{"statement":[0-9]+,"at":$string/gc or return undef;
    $said{line} = $1 =~ s/.*://r;
    if ($line =~ /\G,"error":\{"code":$string,"outcome":$string,"message":$string/gc) {
        return {%said, code => $1, outcome => $2, message => string($3)};
    }
    $line =~ /\G,"command":$string/gc or return undef;
    $said{command} = string($1);
    $said{data} = string($1) if $line =~ /\G,"data":$string/gc;
    if ($line =~ /\G,"rows":\[/gc) {
        $said{rows} = [];
        while ($line =~ /\G,?\{/gc) {
            my @row;
            while ($line =~ /\G,?$string:/gc) {
                my $name = string($1);
                $line =~ /\G( *$json *)/gc or return undef;
                push @row, [$name, $1];
            }
            $line =~ /\G\}/gc or return undef;
            push @{$said{rows}}, \@row;
        }
        $line =~ /\G\]/gc or return undef;
    }
    $line =~ /\G\}$/ or return undef;
    return \%said;
}

sub from_evpq
{
    my ($out) = @_;
    return map { of_evpq($_) // {unread => $_} } split /\n/, $out;
}

# Whether a token of JSON stands for a value that psql printed. The manual page says how: a string for a text, numbers
# and booleans bare, and json as it is but for the ends of its lines.
sub stands_for
{
    my ($token, $text) = @_;
    return $token =~ /^ *null *$/ && (!defined $text || $text eq 'null') if !defined $text || $token =~ /^ *null *$/;
    return 1 if $token =~ /^$string$/ && string($1) eq $text;
    return 1 if ($token eq 'true' && $text eq 't') || ($token eq 'false' && $text eq 'f');
    return $token eq $text =~ tr/\n\r/  /r;
}

1;
