// Package work makes and checks tasks that cost a computer a second or two and a person nothing: proof of work in the
// ALTCHA protocol, version 2, as the widget altcha 3 and the libraries altcha-lib 2 speak it.
//
// A task names a salt, a nonce and the first half of a key. The key is PBKDF2 over the nonce and a counter; whoever finds the
// counter, by trying them in order, knows the second half. Parameters and key are signed (HMAC), so nothing is kept of a
// task until it is solved.
package work

import (
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"time"

	"github.com/go-json-experiment/json"
)

// The errors of Check.
var (
	ErrWrong   = errors.New("work: no solution of a task of ours")
	ErrExpired = errors.New("work: the task has expired")
)

// Maker makes tasks and knows its own again.
type Maker struct {
	// Cost is how many rounds of PBKDF2 one counter takes, and Least to Most the counters that are the solution: with
	// 5,000 and 100 to 500 a solver takes a second on a laptop, a few on a phone.
	Cost, Least, Most int
	Signature, Key    string // secrets: what parameters, and what keys, are signed with
}

const (
	algorithm = "PBKDF2/SHA-256"
	keyBytes  = 32
	nonceSize = 16
	// maxPayload is the most bytes of a solution that are looked at; one of ours takes about 900.
	maxPayload = 4096
)

// parameters are signed as JSON with sorted names, so the fields stand in that order.
type parameters struct {
	Algorithm    string `json:"algorithm"`
	Cost         int    `json:"cost"`
	Data         data   `json:"data"`
	ExpiresAt    int64  `json:"expiresAt"` // seconds since 1970
	KeyLength    int    `json:"keyLength"`
	KeyPrefix    string `json:"keyPrefix"`
	KeySignature string `json:"keySignature"`
	Nonce        string `json:"nonce"`
	Salt         string `json:"salt"`
}

// data is what the protocol lets us add: for whom the task is.
type data struct {
	For string `json:"for"`
}

type task struct {
	Parameters parameters `json:"parameters"`
	Signature  string     `json:"signature"`
}

type payload struct {
	Challenge task     `json:"challenge"`
	Solution  solution `json:"solution"`
}

type solution struct {
	Counter    uint32  `json:"counter"`
	DerivedKey string  `json:"derivedKey"`
	Time       float64 `json:"time,omitzero"` // milliseconds it took, as the solver says
}

// Make returns a task as JSON. A solution counts only for the same purpose, an opaque word that the solver sees.
func (m *Maker) Make(purpose string, expires time.Time) ([]byte, error) {
	bits := make([]byte, 2*nonceSize)
	rand.Read(bits)
	counter, err := rand.Int(rand.Reader, big.NewInt(int64(m.Most-m.Least+1)))
	if err != nil {
		return nil, err
	}
	p := parameters{
		Algorithm: algorithm, Cost: m.Cost, Data: data{purpose}, ExpiresAt: expires.Unix(), KeyLength: keyBytes,
		Nonce: hex.EncodeToString(bits[:nonceSize]), Salt: hex.EncodeToString(bits[nonceSize:]),
	}
	key, err := derive(bits[:nonceSize], bits[nonceSize:], uint32(m.Least)+uint32(counter.Int64()), m.Cost)
	if err != nil {
		return nil, err
	}
	p.KeyPrefix = hex.EncodeToString(key[:keyBytes/2])
	p.KeySignature = sign(m.Key, key)
	signature, err := m.sign(p)
	if err != nil {
		return nil, err
	}
	return json.Marshal(task{p, signature})
}

// derive is the key of one counter.
func derive(nonce, salt []byte, counter uint32, cost int) ([]byte, error) {
	password := binary.BigEndian.AppendUint32(append([]byte(nil), nonce...), counter)
	return pbkdf2.Key(sha256.New, string(password), salt, cost, keyBytes)
}

func sign(secret string, text []byte) string {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write(text)
	return hex.EncodeToString(mac.Sum(nil))
}

func (m *Maker) sign(p parameters) (string, error) {
	text, err := json.Marshal(p)
	if err != nil {
		return "", err
	}
	return sign(m.Signature, text), nil
}

// Solved names a task of ours that was solved. Whoever takes it notes the nonce until the task expires, so that it counts
// once.
type Solved struct {
	Nonce   string
	Expires time.Time
}

// Check reads a solution as the widget sends it: base64 of JSON with the task and its solution. Its error is ErrWrong or
// ErrExpired, or wraps one of them.
func (m *Maker) Check(text, purpose string, now time.Time) (Solved, error) {
	if len(text) > maxPayload {
		return Solved{}, ErrWrong
	}
	plain, err := base64.StdEncoding.Strict().DecodeString(text)
	if err != nil {
		return Solved{}, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	var got payload
	if err := json.Unmarshal(plain, &got, json.RejectUnknownMembers(true)); err != nil {
		return Solved{}, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	p := got.Challenge.Parameters
	signature, err := m.sign(p)
	if err != nil {
		return Solved{}, fmt.Errorf("%w: %w", ErrWrong, err)
	}
	if !hmac.Equal([]byte(signature), []byte(got.Challenge.Signature)) || p.Data.For != purpose {
		return Solved{}, ErrWrong
	}
	// From here on the parameters are ours.
	expires := time.Unix(p.ExpiresAt, 0).UTC()
	if !now.Before(expires) {
		return Solved{}, ErrExpired
	}
	key, err := hex.DecodeString(got.Solution.DerivedKey)
	if err != nil || !hmac.Equal([]byte(sign(m.Key, key)), []byte(p.KeySignature)) {
		return Solved{}, ErrWrong
	}
	return Solved{p.Nonce, expires}, nil
}
