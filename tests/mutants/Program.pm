# Program.pm - builds all the tests into one program, with objects of the library's put before those that the
# build folder has: so that a mutant costs one compiler and one linker. The commands are make's own.
package Program;
use strict;
use warnings;
use File::Basename qw(basename dirname);
use Cwd qw(abs_path);

my $here = dirname(abs_path(__FILE__));
my ($folder, $compile, $link, %group);

sub quietly
{
    my ($command) = @_;
    return system('/bin/sh', '-c', "$command >'$folder/said' 2>&1") == 0;
}

sub must
{
    my ($command) = @_;
    quietly($command) or die "mutants: this failed; see $folder/said:\n$command\n";
}

# The last command of a kind that make would run for a target.
sub command_for
{
    my ($target, $changed, $kind) = @_;
    my $said = `make -n -W '$changed' '$target' V=1 2>/dev/null`;
    $said =~ s/\\\n//g;
    my @found = grep { /--mode=$kind / } split /\n|;/, $said;
    die "mutants: make says nothing of $target; run make check TESTS= first\n" unless @found;
    return $found[-1];
}

# Both commands, from make.
sub commands
{
    my ($test) = @_;
    open my $in, '<', 'Makefile' or die "mutants: there is no Makefile here\n";
    my ($srcdir) = map { /^srcdir = (.*)/ ? $1 : () } <$in>;
    my $source = $srcdir eq '.' ? 'src/conn/conn.c' : "$srcdir/src/conn/conn.c";
    ($compile) = command_for('src/conn/libcore_la-conn.lo', $source, 'compile') =~ /--mode=compile\s+(.*?)\s-MT /;
    $compile =~ s/-flto\S*|-ffat-lto-objects|-Werror\b|-W[a-z]\S*|\bccache //g;
    $compile .= ' -w -fPIC -DPIC -c';
    $link = command_of($test);
}

# What links a test: it names all that is put together.
sub command_of
{
    my ($test) = @_;
    my $libtool = command_for("tests/$test", "tests/$test.o", 'link');
    $libtool =~ s/--mode=/--dry-run --mode=/;
    my ($command) = grep { s/^libtool: link: // && / -o / } `$libtool`;
    die "mutants: libtool says nothing of $test\n" unless $command;
    chomp $command;
    $command =~ s/-W[a-z][^,\s]*(?=\s)|\bccache |-g\b//g;
    return $command;
}

# Tests that put functions of their own in the place of the C library's (libc's send, say) are programs alone.
sub defines_more
{
    my ($object) = @_;
    return grep { / [TDBRC] (?!main$|__odr)/ } split /\n/, `nm '$object'`;
}

sub merge
{
    my ($group, @tests) = @_;
    must("mkdir -p '$folder/tests.$group'");
    open my $all, '>', "$folder/all.c" or die "mutants: $folder/all.c: $!\n";
    print $all "#include <string.h>\n";
    print $all "int main_$_();\n" for @tests;
    print $all "int main(int argc, char **argv)\n{\n    if (argc < 2)\n        return 2;\n";
    print $all "    if (!strcmp(argv[1], \"$_\"))\n        return main_$_(argc - 1, argv + 1);\n" for @tests;
    print $all "    return 2;\n}\n";
    close $all;
    must("$compile -o '$folder/all.o' '$folder/all.c'");
    must("$compile -o '$folder/pick.o' '$here/pick.c'");
    for my $test (@tests) {
        must("objcopy --strip-debug --redefine-sym main=main_$test 'tests/$test.o' '$folder/tests.$group/$test.o'");
        $group{$test} = $group;
    }
    must("ld -r -o '$folder/tests.$group.o' '$folder/tests.$group'/*.o '$folder/all.o' '$folder/pick.o' "
        . "--whole-archive '$folder/support.a'");
}

# For programs that are linked as they are: see Simulator.pm.
sub prepare_compiler
{
    ($folder) = @_;
    commands('sim/sim');
}

# The tests, and what they stand on but for the library, in one object.
sub prepare
{
    ($folder, my @tests) = @_;
    commands($tests[0]);
    my ($support, $core) = $link =~ m{(\S*libsupport\.a)\s.*?(\S*libcore\.a)} or die "mutants: no libcore.a in: $link\n";
    must("cp '$core' '$folder/core.a' && objcopy --strip-debug '$folder/core.a'");
    must("cp '$support' '$folder/support.a' && objcopy --strip-debug '$folder/support.a'");
    my @alone = grep { defines_more("tests/$_.o") } @tests;
    my %alone = map { $_ => 1 } @alone;
    merge('all', grep { !$alone{$_} } @tests);
    merge($_, $_) for @alone;
    my $wraps = join ' ', map { "-Wl,--wrap=$_" } qw(malloc calloc realloc free clock_gettime _tcase_add_test tcase_fn_start);
    my $fast = system('command -v ld.lld >/dev/null 2>&1') == 0 ? '-fuse-ld=lld' : '';
    $link =~ s/ -o \S+ / -o \$out $fast $wraps \$objects /;
    $link =~ s/\s\S*$tests[0]\.o\s/ \$tests /;
    $link =~ s/\Q$support\E//;
    $link =~ s/\Q$core\E/'$folder\/core.a'/;
}

# Which program a test is in.
sub group_of
{
    my ($test) = @_;
    return $group{$test};
}

# Compiles that file as if it stood where the path says.
sub compile
{
    my ($source, $object, $options) = @_;
    return quietly("$compile -g0 -O1 $options -o '$object' '$source'");
}

# Links the program that this test is in with these objects, once, and returns its path, or nothing.
sub linked
{
    my ($out, $test, @objects) = @_;
    my $group = $group{$test};
    return "$out.$group" if -e "$out.$group";
    my $command = $link;
    my $objects = join ' ', map { "'$_'" } @objects;
    $command =~ s/\$out/'$out.$group'/;
    $command =~ s/\$objects/$objects/;
    $command =~ s/\$tests/'$folder\/tests.$group.o'/;
    return quietly($command) ? "$out.$group" : undef;
}

1;
