package app

import (
	"fmt"
	"net/netip"
)

// Network is the addresses of a network (10.0.0.0/8), or a single one.
type Network struct{ netip.Prefix }

// UnmarshalText reads a network or an address.
func (n *Network) UnmarshalText(text []byte) error {
	if addr, err := netip.ParseAddr(string(text)); err == nil && addr.Zone() == "" {
		n.Prefix = netip.PrefixFrom(addr, addr.BitLen())
		return nil
	}
	var err error
	if n.Prefix, err = netip.ParsePrefix(string(text)); err != nil {
		return fmt.Errorf("%q is neither an address like 10.0.0.7 nor a network like 10.0.0.0/8", text)
	}
	return nil
}

// proxies are the networks whose word about a client's address is believed.
func (c Config) proxies() []netip.Prefix {
	out := make([]netip.Prefix, len(c.TrustedProxies))
	for i, n := range c.TrustedProxies {
		out[i] = n.Prefix
	}
	return out
}
