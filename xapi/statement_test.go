package xapi_test

import (
	"testing"

	"github.com/go-json-experiment/json"

	"rollway/xapi"
)

func TestTypedStatement(t *testing.T) {
	t.Parallel()
	s, err := xapi.ParseStatement([]byte(typical), xapi.V1)
	if err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(s)
	if err != nil {
		t.Fatal(err)
	}
	again, err := xapi.ParseStatement(out, xapi.V1)
	if err != nil {
		t.Fatalf("%v in %s", err, out)
	}
	twice, err := json.Marshal(again)
	if err != nil {
		t.Fatal(err)
	}
	if string(out) != string(twice) {
		t.Errorf("printed\n%s\nthen\n%s", out, twice)
	}
}
