package signin

import (
	"encoding/base64"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// stored is a password as it is kept.
type stored struct {
	Cost
	keyID      string // which key the password went through first; empty for none
	salt, hash []byte
}

var plain64 = base64.RawStdEncoding.Strict()

// String writes the PHC string format: $argon2id$v=19$m=…,t=…,p=…[,keyid=…]$salt$hash.
func (s stored) String() string {
	keyID := ""
	if s.keyID != "" {
		keyID = ",keyid=" + plain64.EncodeToString([]byte(s.keyID))
	}
	return fmt.Sprintf("$argon2id$v=19$m=%d,t=%d,p=%d%s$%s$%s", s.Memory, s.Passes, s.Threads, keyID, plain64.EncodeToString(s.salt), plain64.EncodeToString(s.hash))
}

var errStored = errors.New("a stored password cannot be read")

// The most that a stored hash may cost, so that a row from elsewhere does not stop the server.
const (
	maxMemory = 256 << 10
	maxPasses = 16
	maxThread = 8
)

// parseStored reads the PHC string format strictly.
func parseStored(text string) (s stored, err error) {
	parts := strings.Split(text, "$")
	if strings.ContainsAny(text, "\r\n") || // which base64's decoder skips
		len(parts) != 6 || parts[0] != "" || parts[1] != "argon2id" || parts[2] != "v=19" {
		return stored{}, errStored
	}
	values := strings.Split(parts[3], ",")
	if len(values) == 4 {
		coded, ok := strings.CutPrefix(values[3], "keyid=")
		id, err := plain64.DecodeString(coded)
		if !ok || err != nil || len(id) == 0 || len(id) > 8 {
			return stored{}, errStored
		}
		s.keyID = string(id)
	} else if len(values) != 3 {
		return stored{}, errStored
	}
	var cost [3]uint64
	for i, v := range []struct {
		name string
		most uint64
	}{{"m=", maxMemory}, {"t=", maxPasses}, {"p=", maxThread}} {
		digits, ok := strings.CutPrefix(values[i], v.name)
		if cost[i], err = strconv.ParseUint(digits, 10, 32); !ok || err != nil || cost[i] < 1 || cost[i] > v.most || digits != strconv.FormatUint(cost[i], 10) {
			return stored{}, errStored
		}
	}
	s.Cost = Cost{Memory: uint32(cost[0]), Passes: uint32(cost[1]), Threads: uint8(cost[2])}
	if s.salt, err = plain64.DecodeString(parts[4]); err != nil || len(s.salt) < 8 || len(s.salt) > 64 {
		return stored{}, errStored
	}
	if s.hash, err = plain64.DecodeString(parts[5]); err != nil || len(s.hash) < 16 || len(s.hash) > 64 {
		return stored{}, errStored
	}
	if s.Memory < 8*uint32(s.Threads) {
		return stored{}, errStored
	}
	return s, nil
}
