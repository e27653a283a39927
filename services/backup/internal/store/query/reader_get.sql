SELECT server, announced, generation, login, secret, acknowledged, failures FROM reader WHERE server = $1
