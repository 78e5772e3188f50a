package xapi

import (
	"bytes"
	"strconv"

	"github.com/go-json-experiment/json/jsontext"
)

// Number is the text of a JSON number, kept as it was sent; "" is absent.
type Number string

// Float64 is the nearest float64, or an infinity.
func (n Number) Float64() float64 {
	f, _ := strconv.ParseFloat(string(n), 64) // out of range gives an infinity, which is meant
	return f
}

// Compare returns -1, 0 or 1 as the value of n is less than, equal to or
// greater than that of other, exactly.
func (n Number) Compare(other Number) int {
	return decimalOf([]byte(n)).compare(decimalOf([]byte(other)))
}

// MarshalJSONTo writes the number unchanged.
func (n Number) MarshalJSONTo(enc *jsontext.Encoder) error {
	return enc.WriteValue(jsontext.Value(n))
}

// UnmarshalJSONFrom reads a number.
func (n *Number) UnmarshalJSONFrom(dec *jsontext.Decoder) error {
	v, err := dec.ReadValue()
	if err != nil {
		return err
	}
	if v.Kind() != '0' {
		return ruleNumber.broken(string(v))
	}
	*n = Number(v)
	return nil
}

// decimal is a number as sign, digits and exponent: 0.d₁d₂d₃… × 10^exp. The
// digits are whole ++ part without zeros at either end; zero has none.
type decimal struct {
	negative    bool
	whole, part []byte
	exp         int
}

// maxExponent bounds exponents, so that sums do not overflow: numbers beyond
// it count as equally large or small.
const maxExponent = 1 << 40

// decimalOf reads a valid JSON number.
func decimalOf(s []byte) decimal {
	var d decimal
	if len(s) > 0 && s[0] == '-' {
		d.negative, s = true, s[1:]
	}
	if e := bytes.IndexAny(s, "eE"); e >= 0 {
		exp, _ := strconv.Atoi(string(bytes.TrimPrefix(s[e+1:], []byte("+")))) // saturates
		d.exp = min(max(exp, -maxExponent), maxExponent)
		s = s[:e]
	}
	d.whole = s
	if point := bytes.IndexByte(s, '.'); point >= 0 {
		d.whole, d.part = s[:point], s[point+1:]
	}
	d.whole = bytes.TrimLeft(d.whole, "0")
	d.part = bytes.TrimRight(d.part, "0")
	d.exp += len(d.whole)
	if len(d.whole) == 0 {
		trimmed := bytes.TrimLeft(d.part, "0")
		d.exp -= len(d.part) - len(trimmed)
		d.part = trimmed
	}
	if len(d.part) == 0 {
		d.whole = bytes.TrimRight(d.whole, "0")
	}
	if d.len() == 0 {
		return decimal{}
	}
	return d
}

func (d decimal) len() int { return len(d.whole) + len(d.part) }

func (d decimal) digit(i int) byte {
	switch {
	case i < len(d.whole):
		return d.whole[i]
	case i < d.len():
		return d.part[i-len(d.whole)]
	}
	return '0'
}

func (d decimal) sign() int {
	switch {
	case d.len() == 0:
		return 0
	case d.negative:
		return -1
	}
	return 1
}

func (d decimal) compare(other decimal) int {
	sign := d.sign()
	if o := other.sign(); sign != o {
		if sign < o {
			return -1
		}
		return 1
	}
	if d.exp != other.exp {
		if d.exp < other.exp {
			return -sign
		}
		return sign
	}
	for i := range max(d.len(), other.len()) {
		if a, b := d.digit(i), other.digit(i); a != b {
			if a < b {
				return -sign
			}
			return sign
		}
	}
	return 0
}

// append writes the number so that equal numbers have equal text: an integer
// without zeros at its end, and an exponent unless that is 0.
func (d decimal) append(dst []byte) []byte {
	if d.len() == 0 {
		return append(dst, '0')
	}
	if d.negative {
		dst = append(dst, '-')
	}
	dst = append(append(dst, d.whole...), d.part...)
	if exp := d.exp - d.len(); exp != 0 {
		dst = strconv.AppendInt(append(dst, 'e'), int64(exp), 10)
	}
	return dst
}
