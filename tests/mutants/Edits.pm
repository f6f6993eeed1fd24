# Edits.pm - the single edits of a C file in the house's style. It knows the layout that clang-format gives: a
# function's body is between lines that are { and } alone. Nothing outside of bodies, in comments, strings,
# preprocessor lines or assertions is edited.
package Edits;
use strict;
use warnings;

# The position behind the bracket that closes the one at $at.
sub closing
{
    my ($text, $at) = @_;
    my $depth = 0;
    pos($$text) = $at;
    while ($$text =~ /([()])/g) {
        $depth += $1 eq '(' ? 1 : -1;
        return pos($$text) if $depth == 0;
    }
    return;
}

sub blank
{
    my ($text) = @_;
    $text =~ s/[^\n]/ /g;
    return $text;
}

# The text with everything blank that is no code; each character keeps its place.
sub mask
{
    my ($text) = @_;
    $text =~ s{(/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)+')}{blank($1)}gse;
    $text =~ s{^(#(?:[^\n]*\\\n)*[^\n]*)}{blank($1)}gme;
    while ($text =~ /\bassert\(/g) {
        my $start = $-[0];
        my $end = closing(\$text, $+[0] - 1) or last;
        substr($text, $start, $end - $start) = blank(substr($text, $start, $end - $start));
        pos($text) = $end;
    }
    return $text;
}

my %swapped = (
    '<' => '<=', '<=' => '<', '>' => '>=', '>=' => '>', '==' => '!=', '!=' => '==',
    '&&' => '||', '||' => '&&', '+' => '-', '-' => '+', 'true' => 'false', 'false' => 'true',
);

# What may be edited in one body: [offset, length, replacement] each, in the order of the rules.
sub of_body
{
    my ($mask, $from, $to) = @_;
    my @found;
    my @plain; # conditions without && and ||: where == is swapped already by negating all
    my $body = substr($$mask, $from, $to - $from);

    while ($body =~ /\b(?:if|while) \(/g) {
        my $open = $+[0] - 1;
        my $end = closing(\$body, $open) or next;
        pos($body) = $open + 1;
        my $inner = substr($body, $open + 1, $end - $open - 2);
        push @plain, [$open, $end] if $inner !~ /&&|\|\|/;
        push @found, [$open, $end - $open, "(!($inner))", 1];
    }
    my $is_plain = sub {
        my ($at) = @_;
        return grep { $at > $_->[0] && $at < $_->[1] } @plain;
    };
    while ($body =~ /&&|\|\|/g) {
        push @found, [$-[0], 2, $swapped{$&}];
    }
    while ($body =~ /(?<= )(<=|>=|==|!=|<|>|\+|-)(?= )/g) {
        next if ($1 eq '==' || $1 eq '!=') && $is_plain->($-[0]);
        push @found, [$-[0], length $1, $swapped{$1}];
    }
    while ($body =~ /\b(?:true|false)\b/g) {
        push @found, [$-[0], length $&, $swapped{$&}];
    }
    while ($body =~ /(?<![\w.])(\d+)(?:(\.\d+)|(?![\w.]))/g) {
        my ($at, $length, $new) = ($-[0], $+[0] - $-[0], ($1 + 1) . ($2 // ''));
        my $line = substr($body, rindex($body, "\n", $at) + 1, 40);
        next if $line =~ /^ +(?:static )?(?:unsigned )?char \w+\[/; # room for one more letter
        push @found, [$at, $length, $new];
    }
    while ($body =~ /!(?=[\w(])/g) {
        next if $is_plain->($-[0]) && substr($body, $-[0] - 1, 1) eq '(';
        push @found, [$-[0], 1, ''];
    }
    my $place = qr/[*(]*[a-z_](?:[\w.]|->|\[[^\];]*\])*\)?/;
    while ($body =~ /^[ ]+((?:(?:\(void\))?(?!(?:if|while|for|switch|return|else|do|case)\b)$place\([^;{}]*\)
            |$place\s(?:[-+|&*]?=)\s[^;{}]*|$place(?:\+\+|--)|return|break|continue));/gmx) {
        push @found, [$-[1], $+[1] - $-[1], ''];
    }
    return map { [$_->[0] + $from, @$_[1 .. $#$_]] } @found;
}

sub squeeze
{
    my ($text) = @_;
    $text =~ s/\s+/ /g;
    $text =~ s/^ | $//g;
    return $text;
}

# Each edit of a file: a hash with name, line and the text of the whole file with it. The name stays the
# same when the file changes elsewhere.
sub of_file
{
    my ($top, $path) = @_;
    open my $in, '<', "$top/$path" or die "mutants: $top/$path: $!\n";
    my $text = do { local $/; <$in> };
    close $in;
    my $mask = mask($text);
    my (@edits, %names, %texts);

    while ($mask =~ /^\{\n(.*?)^\}/gms) {
        my ($from, $to) = ($-[1], $+[1]);
        my $head = substr($mask, 0, $from - 2);
        my $function = $head =~ /.*^[a-z][^;{}\n]*?(\w+)\([^;{}]*\)\s*\z/ms ? $1 : '?';
        for my $found (of_body(\$mask, $from, $to)) {
            my ($at, $length, $new, $negates) = @$found;
            if ($negates) { # with what is blank in the mask
                $new = '(!' . substr($text, $at, $length) . ')';
            }
            my $edited = $text;
            substr($edited, $at, $length) = $new;
            next if $texts{$edited}++;
            my $start = rindex($text, "\n", $at) + 1;
            my $stop = index($text, "\n", $at + $length);
            my $old = substr($text, $start, $stop - $start);
            my $with = substr($edited, $start, $stop - $start + length($new) - $length);
            my $name = "$path $function: " . squeeze($old) . ' => ' . squeeze($with);
            $name .= " ($names{$name})" if $names{$name}++;
            my $line = 1 + (substr($text, 0, $at) =~ tr/\n//);
            push @edits, {path => $path, line => $line, name => $name, text => $edited};
        }
    }
    return @edits;
}

1;
