//! A client that says what a test wants said.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

/// A message of the server: what it is, and its body.
pub(crate) type Told = (char, Vec<u8>);

pub(crate) struct Client {
    pub(crate) socket: TcpStream,
    /// The number and the secret by which what it asks can be cancelled.
    pub(crate) key: Vec<u8>,
}

pub(crate) fn text(text: &str) -> Vec<u8> {
    let mut bytes = text.as_bytes().to_vec();
    bytes.push(0);
    bytes
}

pub(crate) fn startup(database: &str) -> Vec<u8> {
    let mut body = 196_608_u32.to_be_bytes().to_vec();
    for word in ["user", "me", "database", database, "application_name", "test"] {
        body.extend(text(word));
    }
    body.push(0);
    let mut message = (body.len() as u32 + 4).to_be_bytes().to_vec();
    message.extend(body);
    message
}

impl Client {
    /// Connects to the shop.
    pub(crate) fn connect(address: SocketAddr) -> Self {
        let mut client = Client::open(address);
        client.socket.write_all(&startup("shop")).unwrap();
        let told = client.until('Z');
        assert_eq!(told.first().map(|(kind, _)| *kind), Some('R'), "{told:?}");
        client.key = told.iter().find(|(kind, _)| *kind == 'K').unwrap().1.clone();
        client
    }

    pub(crate) fn open(address: SocketAddr) -> Self {
        let socket = TcpStream::connect(address).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        Client { socket, key: Vec::new() }
    }

    pub(crate) fn say(&mut self, kind: char, body: &[u8]) {
        let mut message = vec![kind as u8];
        message.extend((body.len() as u32 + 4).to_be_bytes());
        message.extend(body);
        self.socket.write_all(&message).unwrap();
    }

    /// The next message; none at the end.
    pub(crate) fn next(&mut self) -> Option<Told> {
        let mut head = [0; 5];
        self.socket.read_exact(&mut head).ok()?;
        let length = u32::from_be_bytes(head[1..].try_into().unwrap()) as usize;
        let mut body = vec![0; length - 4];
        self.socket.read_exact(&mut body).unwrap();
        Some((head[0] as char, body))
    }

    /// Messages up to one of a kind, with it.
    pub(crate) fn until(&mut self, kind: char) -> Vec<Told> {
        let mut all = Vec::new();
        while let Some(told) = self.next() {
            let is_last = told.0 == kind;
            all.push(told);
            if is_last {
                return all;
            }
        }
        panic!("the connection ended behind {all:?}");
    }

    pub(crate) fn query(&mut self, query: &str) -> Vec<Told> {
        self.say('Q', &text(query));
        self.until('Z')
    }

    /// Parse, Bind, Describe of the portal, Execute and Sync. Parameters are in binary, and so are the results where that
    /// is wanted.
    pub(crate) fn extended(
        &mut self,
        query: &str,
        types: &[u32],
        values: &[&[u8]],
        binary: bool,
        rows: u32,
    ) -> Vec<Told> {
        let mut parse = [text(""), text(query), (types.len() as u16).to_be_bytes().to_vec()].concat();
        types.iter().for_each(|oid| parse.extend(oid.to_be_bytes()));
        self.say('P', &parse);
        let mut bind =
            [text(""), text(""), vec![0, 1, 0, 1], (values.len() as u16).to_be_bytes().to_vec()].concat();
        for value in values {
            bind.extend((value.len() as u32).to_be_bytes());
            bind.extend(*value);
        }
        bind.extend([0, 1, 0, u8::from(binary)]);
        self.say('B', &bind);
        self.say('D', &[b"P".to_vec(), text("")].concat());
        self.say('E', &[text(""), rows.to_be_bytes().to_vec()].concat());
        self.say('S', &[]);
        self.until('Z')
    }
}

/// What kinds of messages came.
pub(crate) fn kinds(told: &[Told]) -> String {
    told.iter().map(|(kind, _)| *kind).collect()
}

/// The rows that came, in order.
pub(crate) fn rows(told: &[Told]) -> Vec<Vec<Option<Vec<u8>>>> {
    let row = |body: &Vec<u8>| {
        let mut rest = &body[2..];
        let count = u16::from_be_bytes(body[..2].try_into().unwrap());
        let value = |_| {
            let (length, behind) = rest.split_at(4);
            let length = i32::from_be_bytes(length.try_into().unwrap());
            let (value, behind) = behind.split_at(length.max(0) as usize);
            rest = behind;
            (length >= 0).then(|| value.to_vec())
        };
        (0..count).map(value).collect()
    };
    told.iter().filter(|(kind, _)| *kind == 'D').map(|(_, body)| row(body)).collect()
}

/// The fields of the first error.
pub(crate) fn error(told: &[Told]) -> BTreeMap<char, String> {
    let body =
        &told.iter().find(|(kind, _)| *kind == 'E').unwrap_or_else(|| panic!("no error in {told:?}")).1;
    let fields = body.split(|byte| *byte == 0).filter(|field| !field.is_empty());
    fields.map(|field| (field[0] as char, String::from_utf8_lossy(&field[1..]).into_owned())).collect()
}
