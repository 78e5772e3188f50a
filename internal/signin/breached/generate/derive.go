package main

import (
	"fmt"
	"slices"
	"strconv"
	"unicode/utf8"

	"rollway/internal/signin/breached"
)

const (
	bases = 200 // the most common passwords that are padded
	pairs = 60  // and those that are put together
	words = 4   // code points that a word of either has at least
)

// derive adds what people make of the most common passwords when they have to be longer.
func derive(common []string, add func(string)) {
	common = slices.DeleteFunc(slices.Clone(common), func(c string) bool { return utf8.RuneCountInString(c) < words })
	padding := []string{"!", "!!", "!!!", "?", ".", "*", "1", "12", "1!", "12!", "01", "007", "69", "99", "000", "111"}
	for n := 3; n <= 10; n++ {
		digits := "1234567890"[:n]
		padding = append(padding, digits, digits+"!", "!"+digits, "@"+digits, "_"+digits, "-"+digits)
	}
	for year := 1980; year <= 2030; year++ {
		y := strconv.Itoa(year)
		padding = append(padding, y, y+"!", "@"+y, "-"+y)
	}
	for _, c := range common {
		for _, p := range padding {
			add(c + p)
		}
		for _, p := range []string{"123", "1234", "12345", "123456"} {
			add(p + c)
		}
	}
	common = common[:min(pairs, len(common))]
	for _, a := range common {
		for _, b := range common {
			add(a + b)
		}
	}
}

// runs adds walks along rows of keys, the alphabet and the digits, from any key, in either direction.
func runs(add func(string)) {
	for _, row := range []string{
		"1234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm", "azertyuiopqsdfghjklmwxcvbn",
		"1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/", "1qaz2wsx3edc4rfv5tgb6zhn7ujm8ik,9ol.0pö-", "1q2w3e4r5t6y7u8i9o0p", "q1w2e3r4t5y6u7i8o9p0",
		"1a2b3c4d5e6f7g8h9i0j", "a1b2c3d4e5f6g7h8i9j0", "qazwsxedcrfvtgbyhnujmikolp", "1234567890qwertyuiopasdfghjklzxcvbnm",
	} {
		keys := []rune(row)
		back := slices.Clone(keys)
		slices.Reverse(back)
		for _, way := range [][]rune{keys, back} {
			for from := range way {
				run := make([]rune, longest)
				for i := range run {
					run[i] = way[(from+i)%len(way)]
				}
				for n := breached.Shortest; n <= longest; n++ {
					add(string(run[:n]))
				}
			}
		}
	}
	for n := breached.Shortest; n <= longest; n++ { // 1, 2, 3 … 10, 11, 12
		count := ""
		for i := 1; utf8.RuneCountInString(count) < n; i++ {
			count += fmt.Sprint(i)
		}
		add(count[:n])
	}
}
