package access

import (
	"crypto/aes"
	"crypto/cipher"
)

// Sealer seals what is read again later under a key of 32 bytes: AES-256-GCM. The random nonce stands before what was sealed,
// so Seal and Open take a nil nonce.
func Sealer(key []byte) (cipher.AEAD, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, err
	}
	return cipher.NewGCMWithRandomNonce(block)
}
