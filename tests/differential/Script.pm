# Script.pm - what both tools are given of a regression file, and the variables that psql would put into it.
#
# evpq-run refuses psql's commands and transaction control and reads nothing behind them, so they are left out here, for
# both tools alike. Where this reader errs, both are given the same bytes all the same: it can hide no difference, and
# only keep a statement from being compared. README.md says the rules.
package Script;
use strict;
use warnings;

my $comment = qr{(?<nested>/\*(?:[^*/]++|\*(?!/)|/(?!\*)|(?&nested))*+\*/)}x;
my $name = qr{[A-Za-z_\x80-\xff][A-Za-z0-9_\$\x80-\xff]*}x;
my $tag = qr{\$(?:[A-Za-z_\x80-\xff][A-Za-z0-9_\x80-\xff]*)?\$}x;

# psql's commands that send what was read so far.
my $sends = qr{^\\(?:g|gx|gset|gexec|gdesc|crosstabview)\b};
# What evpq-run does not take (its manual page, INPUT).
my $refused = qr{^(?:BEGIN|END|ABORT|SAVEPOINT|RELEASE|START\s+TRANSACTION|PREPARE\s+TRANSACTION
    |(?:COMMIT|ROLLBACK)(?!\s+PREPARED)|LISTEN|UNLISTEN)\b
    |^SET\s+standard_conforming_strings\s*(?:=|TO\b)\s*(?:off|0|false)\b}xi;
# Variables that psql sets of its own accord; those that others name are undefined for both.
my $own = qr{(?:DBNAME|ENCODING|ERROR|HOST|LASTOID|LAST_ERROR_\w+|PORT|ROW_COUNT|(?:SERVER_)?VERSION\w*|SQLSTATE|USER)\b};

# The value of what stands after \set: words and quoted strings, with variables in them, one behind the other.
sub value_of
{
    my ($words, $variables) = @_;
    my $value = '';
    while ($words =~ /\G\s*(?:'((?:[^'\\]|\\.|'')*)'|:'(\w+)'|:(\w+)|(\S))/gc) {
        my ($quoted, $quotes, $variable, $else) = ($1, $2, $3, $4);
        if (defined $quoted) {
            $quoted =~ s/''/'/g;
            $quoted =~ s/\\n/\n/g;
            $value .= $quoted;
        } elsif (defined $quotes) {
            $value .= quoted($variables->{$quotes} // '');
        } elsif (defined $variable) {
            $value .= $variables->{$variable} // '';
        } else {
            $value .= $else;
        }
    }
    return $value;
}

sub quoted
{
    my ($text) = @_;
    $text =~ s/'/''/g;
    return "'$text'";
}

sub take_command
{
    my ($line, $variables, $environment) = @_;
    if ($line =~ /^\\getenv\s+(\w+)\s+(\w+)/) {
        $variables->{$1} = $environment->{$2} if defined $environment->{$2};
    } elsif ($line =~ /^\\set\s+(\w+)\s+(.*)/) {
        $variables->{$1} = value_of($2, $variables);
    } elsif ($line =~ /^\\unset\s+(\w+)/) {
        delete $variables->{$1};
    }
}

# A COPY whose data come next.
sub copies_in
{
    my ($words) = @_;
    return $words =~ /^COPY\b.*\bFROM\s+STD(?:IN|OUT)\b/is;
}

# The statements of a file, each with what stands around it, without those that are left out.
sub of_file
{
    my ($text, $environment) = @_;
    my (%variables, $out, $left_out);
    $out = '';
    my ($unit, $words, $parens, $begins, $spoilt) = ('', '', 0, 0, 0);

    my $end = sub {
        my ($mark) = @_;
        my $drop = $spoilt || $words =~ $refused;
        my $data = '';
        if (copies_in($words) && $mark eq ';') {
            # Up to the line that ends them; where a statement or a comment stands before that, there are none.
            if ($text =~ /\G([ \t]*(?:--[^\n]*)?\n)((?:[^\n]*\n)*?\\\.[ \t]*\n)/gc) {
                ($mark, $data) = (";$1", $2);
                if ($data =~ /;[ \t]*(?:--[^\n]*)?\n|^--/m) {
                    pos($text) -= length $data;
                    $data = "\\.\n";
                }
            } else {
                $data = "\n\\.\n";
            }
            $drop = 1 if $words =~ /\bbinary\b/i;
        }
        if ($drop) {
            $left_out++;
            $out .= "\n" x (($unit . $mark . $data) =~ tr/\n//);
        } else {
            $out .= $unit . $mark . $data;
        }
        ($unit, $words, $parens, $begins, $spoilt) = ('', '', 0, 0, 0);
    };

    pos($text) = 0;
    while (pos($text) < length $text) {
        if ($text =~ /\G(--[^\n]*)/gc || $text =~ /\G($comment)/gc || $text =~ /\G(\s+)/gc) {
            $unit .= $1;
            $words .= ' ';
        } elsif ($text =~ /\G(\\;)/gc) {
            $end->(';');
        } elsif ($text =~ /\G(\\\.[^\n]*)/gc) {
            $left_out++; # of a COPY that is left out
        } elsif ($text =~ /\G(\\[^\n]*)/gc) {
            my $line = $1;
            $left_out++;
            take_command($line, \%variables, $environment);
            # Which branch psql takes is not followed.
            ($spoilt, $parens) = (1, 0) if $line =~ /^\\(?:if|elif|else|endif)\b/ && $words =~ /\S/;
            $end->(';') if $line =~ $sends && $words =~ /\S/;
        } elsif ($text =~ /\G(:(['"]?)$own\2|:\{\?\w+\})/gc) {
            $unit .= $1;
            $spoilt = 1;
        } elsif ($text =~ /\G(:'(\w+)')/gc) {
            $unit .= defined $variables{$2} ? quoted($variables{$2}) : $1;
            $words .= ' ';
        } elsif ($text =~ /\G(::)/gc) {
            $unit .= $1;
        } elsif ($text =~ /\G(:(\w+))/gc) {
            $unit .= $variables{$2} // $1;
            $words .= ' ';
        } elsif ($text =~ /\G([eE]'(?:[^'\\]|\\.|'')*+')/gcs || $text =~ /\G('(?:[^']|'')*+')/gc ||
            $text =~ /\G("[^"]*+")/gc || $text =~ /\G((?<tag>$tag).*?\k<tag>)/gcs) {
            $unit .= $1;
            $words .= ' ? ';
        } elsif ($text =~ /\G($name)/gc) {
            my $word = $1;
            $unit .= $word;
            if ("$words " =~ /^\s*CREATE\s+(?:OR\s+REPLACE\s+)?(?:FUNCTION|PROCEDURE)\s/i && $parens == 0) {
                $begins++ if lc $word eq 'begin' || (lc $word eq 'case' && $begins > 0);
                $begins-- if lc $word eq 'end' && $begins > 0;
            }
            $words .= $word;
            $words =~ s/^\s+//;
        } elsif ($text =~ /\G;/gc) {
            if ($parens > 0 || $begins > 0) {
                $unit .= ';';
                $words .= ' ; ';
            } else {
                $end->(';');
            }
        } else {
            $text =~ /\G(.)/gcs;
            $unit .= $1;
            $words .= " $1 ";
            $parens++ if $1 eq '(';
            $parens-- if $1 eq ')' && $parens > 0;
        }
    }
    $out .= $unit;
    return ($out, $left_out // 0);
}

1;
