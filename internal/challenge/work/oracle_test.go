package work

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// oracle solves the task it is given, asks altcha-lib whether that is right, and prints the solution as the widget sends it.
const oracle = `
import { solveChallenge, verifySolution } from 'altcha-lib'
import { deriveKey } from 'altcha-lib/algorithms/pbkdf2'
const challenge = JSON.parse(process.argv[1])
const solution = await solveChallenge({ challenge, deriveKey })
const verdict = await verifySolution({ challenge, solution, deriveKey, hmacSignatureSecret: process.argv[2], hmacKeySignatureSecret: process.argv[3] })
if (!verdict.verified) throw new Error(JSON.stringify(verdict))
console.log(btoa(JSON.stringify({ challenge: { parameters: challenge.parameters, signature: challenge.signature }, solution })))
`

// The library that the protocol's authors publish takes our tasks for its own, and we take its solutions.
func TestLibraryAgrees(t *testing.T) {
	t.Parallel()
	future := now.AddDate(1000, 0, 0) // the library's clock is the real one
	m := maker
	m.Cost = 1000
	text, err := m.Make("sign-up", future)
	if err != nil {
		t.Fatal(err)
	}
	node := exec.CommandContext(t.Context(), "node", "--input-type=module", "-e", oracle, string(text), m.Signature, m.Key)
	node.Dir = filepath.Join("..", "..", "browsertest", "testdata") // where the node packages are
	var complaint strings.Builder
	node.Stderr = &complaint
	answer, err := node.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, &complaint)
	}
	if _, err := m.Check(strings.TrimSpace(string(answer)), "sign-up", now); err != nil {
		t.Errorf("%s: %v", answer, err)
	}
}
