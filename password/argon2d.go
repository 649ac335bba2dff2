package password

import (
	"encoding/binary"
	"math/bits"

	"golang.org/x/crypto/blake2b"
)

// The types of argon2.
const (
	typeD  = 0
	typeI  = 1
	typeID = 2
)

// argon2Old is argon2 as x/crypto does not have it: argon2d, and version 1.0
// (16) of all types, which some libraries made until 2016. It fills one lane
// after the other. Source: RFC 9106 section 3; version 1.0 overwrites a block in
// later passes where 1.3 mixes it in.
type argon2Old struct {
	kind, version  uint32
	time           uint32
	lanes          uint32
	lane, segment  uint32 // blocks of a lane, and of a quarter of it
	blocks         []block
	zero, in, addr block // for addresses that do not depend on the password
}

// block is a KiB.
type block [128]uint64

func argon2Key(kind, version uint32, password, salt []byte, cost Argon2id, n int) []byte {
	a := &argon2Old{kind: kind, version: version, time: cost.Time, lanes: uint32(cost.Threads)}
	a.segment = cost.MemoryKiB / (4 * a.lanes)
	a.lane = 4 * a.segment
	a.blocks = make([]block, a.lane*a.lanes)

	le := binary.LittleEndian
	var b []byte
	for _, v := range []uint32{a.lanes, uint32(n), cost.MemoryKiB, cost.Time, version, kind, uint32(len(password))} {
		b = le.AppendUint32(b, v)
	}
	b = append(b, password...)
	b = append(le.AppendUint32(b, uint32(len(salt))), salt...)
	b = append(b, 0, 0, 0, 0, 0, 0, 0, 0) // no secret, no associated data
	h0 := blake2b.Sum512(b)
	for l := range a.lanes {
		for i := range uint32(2) {
			seed := le.AppendUint32(le.AppendUint32(h0[:len(h0):len(h0)], i), l)
			a.blocks[l*a.lane+i].load(longHash(seed, 1024))
		}
	}
	for pass := range a.time {
		for slice := range uint32(4) {
			for l := range a.lanes {
				a.fill(pass, slice, l)
			}
		}
	}
	var last block
	for l := range a.lanes {
		end := &a.blocks[(l+1)*a.lane-1]
		for i := range last {
			last[i] ^= end[i]
		}
	}
	b = b[:0]
	for _, w := range last {
		b = le.AppendUint64(b, w)
	}
	return longHash(b, n)
}

// longHash is the hash function of RFC 9106 section 3.3, of any length.
func longHash(in []byte, n int) []byte {
	in = append(binary.LittleEndian.AppendUint32(nil, uint32(n)), in...)
	if n <= blake2b.Size {
		return blake2bSum(in, n)
	}
	var out []byte
	v := blake2bSum(in, blake2b.Size)
	for n-len(out) > blake2b.Size {
		out = append(out, v[:32]...)
		v = blake2bSum(v, min(blake2b.Size, n-len(out)))
	}
	return append(out, v...)
}

func blake2bSum(in []byte, n int) []byte {
	h, err := blake2b.New(n, nil)
	if err != nil {
		return nil // cannot be: n is 1 to 64
	}
	h.Write(in)
	return h.Sum(nil)
}

func (b *block) load(bytes []byte) {
	for i := range b {
		b[i] = binary.LittleEndian.Uint64(bytes[8*i:])
	}
}

// fill fills a quarter of a lane.
func (a *argon2Old) fill(pass, slice, lane uint32) {
	independent := a.kind == typeI || a.kind == typeID && pass == 0 && slice < 2
	if independent {
		a.in = block{uint64(pass), uint64(lane), uint64(slice), uint64(len(a.blocks)), uint64(a.time), uint64(a.kind)}
	}
	index := uint32(0)
	if pass == 0 && slice == 0 {
		index = 2 // the first two are there
	}
	for i := index; i < a.segment; i++ {
		at := slice*a.segment + i
		before := (at + a.lane - 1) % a.lane
		random := a.blocks[lane*a.lane+before][0]
		if independent {
			if i%128 == 0 || i == index {
				a.nextAddresses()
			}
			random = a.addr[i%128]
		}
		from := uint32(random>>32) % a.lanes
		if pass == 0 && slice == 0 {
			from = lane
		}
		ref := a.reference(pass, slice, i, uint32(random), from == lane)
		current := &a.blocks[lane*a.lane+at]
		mixInto := pass > 0 && a.version >= 19
		compress(current, &a.blocks[lane*a.lane+before], &a.blocks[from*a.lane+ref], mixInto)
	}
}

func (a *argon2Old) nextAddresses() {
	a.in[6]++
	compress(&a.addr, &a.zero, &a.in, false)
	first := a.addr
	compress(&a.addr, &a.zero, &first, false)
}

// reference picks the block of a lane that is mixed in, RFC 9106 section 3.4.1.
func (a *argon2Old) reference(pass, slice, i, random uint32, same bool) uint32 {
	area, start := slice*a.segment, uint32(0)
	if pass > 0 {
		area, start = 3*a.segment, (slice+1)%4*a.segment
	}
	switch {
	case same:
		area += i - 1
	case i == 0:
		area--
	}
	x := uint64(random) * uint64(random) >> 32
	z := uint64(area) - 1 - uint64(area)*x>>32
	return uint32((uint64(start) + z) % uint64(a.lane))
}

// compress is G of RFC 9106 section 3.5.
func compress(out, x, y *block, mixInto bool) {
	var r, z block
	for i := range r {
		r[i] = x[i] ^ y[i]
	}
	z = r
	for i := 0; i < 128; i += 16 {
		var v [16]*uint64
		for j := range v {
			v[j] = &z[i+j]
		}
		permute(&v)
	}
	for i := 0; i < 16; i += 2 {
		var v [16]*uint64
		for j := range v {
			v[j] = &z[j/2*16+i+j%2]
		}
		permute(&v)
	}
	for i := range z {
		w := z[i] ^ r[i]
		if mixInto {
			w ^= out[i]
		}
		out[i] = w
	}
}

// permute is the round of BLAKE2b with multiplications.
func permute(v *[16]*uint64) {
	for i := range 4 {
		quarterRound(v[i], v[4+i], v[8+i], v[12+i])
	}
	for i := range 4 {
		quarterRound(v[i], v[4+(i+1)%4], v[8+(i+2)%4], v[12+(i+3)%4])
	}
}

func quarterRound(a, b, c, d *uint64) {
	add := func(x, y *uint64) { *x += *y + 2*uint64(uint32(*x))*uint64(uint32(*y)) }
	turn := func(x, y *uint64, n int) { *x = bits.RotateLeft64(*x^*y, -n) }
	add(a, b)
	turn(d, a, 32)
	add(c, d)
	turn(b, c, 24)
	add(a, b)
	turn(d, a, 16)
	add(c, d)
	turn(b, c, 63)
}
