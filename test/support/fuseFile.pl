# Mounts one file at the path $ARGV[0] and answers for it by the kernel's FUSE protocol (linux/fuse.h, little endian), until it
# is killed. Stopped (SIGSTOP), it is a file whose reading really hangs. For a directory it answers nothing.
use strict;
use warnings;

my ( $path, $content ) = @ARGV;
$^F = 255;    # mount(8) inherits the file descriptor
open( my $fuse, '+<', '/dev/fuse' ) or die "/dev/fuse: $!\n";
my $mode    = -d $path ? 40000 : 100000;
my $options = 'fd=' . fileno($fuse) . ",rootmode=$mode,user_id=0,group_id=0,allow_other";
system( 'mount', '-i', '-t', 'fuse', '-o', $options, 'samepaged-test', $path ) == 0 or die "mount failed\n";
$| = 1;
print "ready\n";
sleep if $mode == 40000;

sub attributes {
    my $size = length $content;
    return pack 'Q<L<2 Q<6 L<10', 0, 0, 0, 1, $size, 1, 0, 0, 0, 0, 0, 0, 0100644, 1, 0, 0, 0, 4096, 0;
}
my %answers = (
    3  => \&attributes,                                                          # GETATTR
    4  => sub { $content = ''; attributes() },                                   # SETATTR: it is truncated
    14 => sub { pack 'Q<L<2', 1, 1, 0 },                                         # OPEN, without a cache
    15 => sub { my ( undef, $at, $most ) = unpack 'Q<Q<L<', $_[0]; substr( $content, $at, $most ) // '' },    # READ
    16 => sub { $content = substr $_[0], 40; pack 'L<2', length $content, 0 },  # WRITE
    18 => sub { '' },                                                            # RELEASE
    25 => sub { '' },                                                            # FLUSH
    26 => sub { pack 'L<4 S<2 L<2 S<2 L<8', 7, 31, 0, 0, 12, 9, 4096, 1, 1, 0, (0) x 8 },                      # INIT
    34 => sub { '' },                                                            # ACCESS
);
while ( sysread $fuse, my $request, 135_168 ) {
    my ( undef, $opcode, $unique ) = unpack 'L<2Q<', $request;
    next if $opcode == 2 || $opcode == 36;    # FORGET and INTERRUPT get no answer
    my $answer = $answers{$opcode};
    my $body   = defined $answer ? $answer->( substr $request, 40 ) : '';
    syswrite $fuse, pack( 'L<l<Q<', 16 + length $body, defined $answer ? 0 : -38, $unique ) . $body;
}
