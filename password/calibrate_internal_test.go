package password

import (
	"context"
	"errors"
	"testing"
	"time"
)

// machine hashes so many KiB in a millisecond.
func machine(perMilli float64) func(Argon2id) time.Duration {
	return func(a Argon2id) time.Duration {
		return time.Duration(float64(a.Time) * float64(a.MemoryKiB) / perMilli * float64(time.Millisecond))
	}
}

func TestCalibrate(t *testing.T) {
	for _, tt := range []struct {
		name   string
		speed  float64
		target time.Duration
		most   uint32
		want   Argon2id
	}{
		{"just right", 1000, 39 * time.Millisecond, 0, Argon2id{2, 19456, 1}},
		{"slow machine", 10, 50 * time.Millisecond, 0, Argon2id{2, 19456, 1}},
		{"more memory", 1000, 100 * time.Millisecond, 0, Argon2id{2, 50176 - 1024, 1}},
		{"all memory", 1000, 250 * time.Millisecond, 0, Argon2id{3, 65536, 1}},
		{"default target", 1000, 0, 0, Argon2id{3, 65536, 1}},
		{"fast machine", 100_000, time.Second, 256 << 10, Argon2id{16, 256 << 10, 1}},
		{"little memory", 1000, 10 * time.Millisecond, 12288, Argon2id{3, 12288, 1}},
		{"least memory", 1000, time.Millisecond, 7168, Argon2id{5, 7168, 1}},
		{"least memory, more time", 1000, 80 * time.Millisecond, 8000, Argon2id{10, 7168, 1}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, err := calibrate(t.Context(), tt.target, tt.most, machine(tt.speed))
			if err != nil || got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
			if err := got.Validate(); err != nil {
				t.Error(err)
			}
		})
	}
}

// However fast a machine is, what comes out is no weaker than one of the floors.
func TestCalibrateNeverBelowTheFloor(t *testing.T) {
	for speed := 1.0; speed < 1e6; speed *= 1.7 {
		for _, most := range []uint32{7168, 9216, 10_000, 19456, 40_000, 262144} {
			for target := time.Millisecond; target < 10*time.Second; target *= 3 {
				got, err := calibrate(t.Context(), target, most, machine(speed))
				if err != nil || got.MemoryKiB > most || got.Validate() != nil {
					t.Fatalf("%+v, %v", got, err)
				}
				strong := false
				for _, f := range floors {
					strong = strong || got.Time >= f.Time && got.MemoryKiB >= f.MemoryKiB
				}
				if !strong {
					t.Fatalf("%+v for %v and %d KiB", got, target, most)
				}
			}
		}
	}
}

func TestCalibrateRefuses(t *testing.T) {
	for _, tt := range []struct {
		target time.Duration
		most   uint32
	}{{-1, 0}, {0, 7167}, {0, 262145}, {0, 1<<32 - 1}} {
		if got, err := Calibrate(t.Context(), tt.target, tt.most); err == nil || got != (Argon2id{}) {
			t.Errorf("%v, %d: %+v, %v", tt.target, tt.most, got, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := Calibrate(ctx, 0, 0); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	got, err := Calibrate(t.Context(), time.Nanosecond, 7168)
	if err != nil || got != (Argon2id{Time: 5, MemoryKiB: 7168, Threads: 1}) {
		t.Errorf("%+v, %v", got, err)
	}
}
