package password

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/sha256"
	"encoding/binary"
	"math/bits"
	"strings"
)

// readYescrypt reads $y$ of crypt(3) in the flavour that it is always written
// in: flags 0xb6, one thread, no extra time. Source: "yescrypt - scalable KDF
// and password hashing scheme" by Alexander Peslyak.
func readYescrypt(s, rest string) (foreign, bool) {
	parts := strings.Split(rest, "$")
	if len(parts) != 3 || len(parts[0]) < 3 || parts[0][0] != 'j' {
		return foreign{}, false
	}
	log2N, params, ok := yescryptNumber(parts[0][1:])
	r, params, ok2 := yescryptNumber(params)
	if !ok || !ok2 || params != "" || log2N < 2 || log2N > 20 {
		return foreign{}, false
	}
	y := yescrypt{n: 1 << log2N, r: r}
	salt, ok := uncrypt64(parts[1], 64)
	tag, ok2 := uncrypt64(parts[2], 32)
	return foreign{
		format: "yescrypt", setting: zeroed(s, parts[2], '.'), tag: tag, memory: y.memory(),
		derive: func(_ *Hasher, password []byte) ([]byte, error) { return y.key(password, salt) },
	}, ok && ok2 && len(tag) == 32 && r <= 1<<10 && y.memory() <= maxMemory+1<<20
}

// yescryptNumber reads a number of at least 1 in digits of crypt(3): the first
// one says how many follow.
func yescryptNumber(s string) (n int, rest string, ok bool) {
	if s == "" {
		return 0, "", false
	}
	first := strings.IndexByte(cryptAlphabet, s[0])
	start, end, more := 0, 47, 0
	for n = 1; first > end; more++ {
		n += (end + 1 - start) << (6 * more)
		start, end = end+1, end+1+(62-end)/2
	}
	if first < 0 || more > 3 || len(s) < 1+more {
		return 0, "", false
	}
	value := first - start
	for _, c := range []byte(s[1 : 1+more]) {
		digit := strings.IndexByte(cryptAlphabet, c)
		if digit < 0 {
			return 0, "", false
		}
		value = value<<6 | digit
	}
	return n + value, s[1+more:], true
}

// yescrypt are the parameters: n blocks of 128 r bytes.
type yescrypt struct{ n, r int }

func (y yescrypt) memory() int64 { return 128*int64(y.n)*int64(y.r) + 64<<10 }

func (y yescrypt) key(password, salt []byte) ([]byte, error) {
	if y.n >= 0x100 && y.n*y.r >= 0x20000 { // a short run first
		var err error
		if password, err = (yescrypt{y.n >> 6, y.r}).run("yescrypt-prehash", password, salt); err != nil {
			return nil, err
		}
	}
	dk, err := y.run("yescrypt", password, salt)
	if err != nil {
		return nil, err
	}
	return sum(sha256.New, hmacSHA256(dk, []byte("Client Key"))), nil
}

func hmacSHA256(key, message []byte) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	return mac.Sum(nil)
}

func (y yescrypt) run(label string, password, salt []byte) ([]byte, error) {
	password = hmacSHA256([]byte(label), password)
	b, err := pbkdf2.Key(sha256.New, string(password), salt, 1, 128*y.r)
	if err != nil {
		return nil, err
	}
	password = append([]byte(nil), b[:32]...)

	// The S-boxes are filled by classic scrypt over the first 128 bytes.
	boxes := make([]uint64, 3*boxWords)
	x, t := make([]uint64, 16), make([]uint64, 16)
	loadBlocks(x, b[:128])
	for i := 0; i < len(boxes); i += 16 {
		copy(boxes[i:], x)
		copy(t, x)
		mixSalsa8(x, t)
	}
	storeBlocks(b[:128], x)
	pwx := pwxform{s2: boxes[:boxWords], s1: boxes[boxWords : 2*boxWords], s0: boxes[2*boxWords:]}
	password = hmacSHA256(b[len(b)-64:], password)
	y.mix(b, &pwx)
	return pbkdf2.Key(sha256.New, string(password), b, 1, 32)
}

// mix is SMix: it writes n blocks, each from those before it, and then goes
// through them at random, writing as it reads.
func (y yescrypt) mix(b []byte, pwx *pwxform) {
	size := 16 * y.r // words of a block
	v := make([]uint64, y.n*size)
	x, t := make([]uint64, size), make([]uint64, size)
	loadBlocks(x, b)
	for i := range y.n {
		copy(v[i*size:], x)
		in := v[i*size : (i+1)*size]
		if i > 1 {
			power := 1 << (bits.Len(uint(i)) - 1)
			j := int(uint32(x[size-8]))&(power-1) + i - power
			xorWords(t, x, v[j*size:(j+1)*size])
			in = t
		}
		pwx.mix(x, in)
	}
	loops := (y.n + 2) / 3
	for range loops + loops&1 {
		j := int(uint32(x[size-8])) & (y.n - 1)
		vj := v[j*size : (j+1)*size]
		xorWords(vj, vj, x)
		pwx.mix(x, vj)
	}
	storeBlocks(b, x)
}

const boxWords = 512 // 64-bit words of one S-box

// pwxform is the state of the parallel wide transformation.
type pwxform struct {
	s0, s1, s2 []uint64
	w          int // where s2 is written next
}

// mix is BlockMix of the transformation, from in to out, which differ.
func (p *pwxform) mix(out, in []uint64) {
	var x [8]uint64
	copy(x[:], in[len(in)-8:])
	for i := 0; i < len(in); i += 8 {
		xorWords(x[:], x[:], in[i:i+8])
		p.transform(&x)
		if i == len(in)-8 {
			salsa20(&x, 1)
		}
		copy(out[i:], x[:])
	}
}

func (p *pwxform) transform(x *[8]uint64) {
	s0, s1, s2 := p.s0[:boxWords], p.s1[:boxWords], p.s2[:boxWords]
	for round := range 6 {
		for lane := 0; lane < 8; lane += 2 {
			a, b := x[lane], x[lane+1]
			lo, hi := a>>4&0xff*2, a>>36&0xff*2
			x[lane] = ((a>>32)*(a&0xffffffff) + s0[lo]) ^ s1[hi]
			x[lane+1] = ((b>>32)*(b&0xffffffff) + s0[lo+1]) ^ s1[hi+1]
		}
		if round > 0 && round < 5 {
			copy(s2[p.w:], x[:])
			p.w += 8
		}
	}
	p.w &= boxWords - 1
	p.s0, p.s1, p.s2 = p.s2, p.s0, p.s1
}

// mixSalsa8 is BlockMix of scrypt with r = 1.
func mixSalsa8(out, in []uint64) {
	var x [8]uint64
	copy(x[:], in[8:])
	for i := 0; i < 16; i += 8 {
		xorWords(x[:], x[:], in[i:i+8])
		salsa20(&x, 4)
		copy(out[i:], x[:])
	}
}

// salsa20 applies so many double rounds to a block and adds what it was.
func salsa20(b *[8]uint64, doubleRounds int) {
	var x [16]uint32
	for i := range x {
		x[i*5%16] = uint32(b[i/2] >> (i % 2 * 32))
	}
	quarter := func(a, b, c, d int) {
		x[b] ^= bits.RotateLeft32(x[a]+x[d], 7)
		x[c] ^= bits.RotateLeft32(x[b]+x[a], 9)
		x[d] ^= bits.RotateLeft32(x[c]+x[b], 13)
		x[a] ^= bits.RotateLeft32(x[d]+x[c], 18)
	}
	for range doubleRounds {
		quarter(0, 4, 8, 12)
		quarter(5, 9, 13, 1)
		quarter(10, 14, 2, 6)
		quarter(15, 3, 7, 11)
		quarter(0, 1, 2, 3)
		quarter(5, 6, 7, 4)
		quarter(10, 11, 8, 9)
		quarter(15, 12, 13, 14)
	}
	for i := range b {
		lo := x[2*i*5%16] + uint32(b[i])
		hi := x[(2*i+1)*5%16] + uint32(b[i]>>32)
		b[i] = uint64(hi)<<32 | uint64(lo)
	}
}

// loadBlocks reads blocks of 64 bytes, whose 32-bit words are kept five apart.
func loadBlocks(words []uint64, b []byte) {
	for i := range words {
		block, at := b[i/8*64:], i%8*2
		lo := binary.LittleEndian.Uint32(block[at*5%16*4:])
		hi := binary.LittleEndian.Uint32(block[(at+1)*5%16*4:])
		words[i] = uint64(hi)<<32 | uint64(lo)
	}
}

// storeBlocks is the inverse of loadBlocks.
func storeBlocks(b []byte, words []uint64) {
	for i, w := range words {
		block, at := b[i/8*64:], i%8*2
		binary.LittleEndian.PutUint32(block[at*5%16*4:], uint32(w))
		binary.LittleEndian.PutUint32(block[(at+1)*5%16*4:], uint32(w>>32))
	}
}

func xorWords(out, a, b []uint64) {
	for i := range out {
		out[i] = a[i] ^ b[i]
	}
}
