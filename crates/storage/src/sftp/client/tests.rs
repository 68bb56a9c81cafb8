use tokio::io::AsyncWriteExt;

use super::*;

/// The reply to the greeting: version 3 without extensions.
const VERSION: [u8; 9] = [0, 0, 0, 5, 2, 0, 0, 0, 3];

/// A library's writer need not learn that its connection has ended. A prune waited for room in the queue, with no line open
/// and nobody to wake it.
#[tokio::test(start_paused = true)]
async fn whoever_waits_for_room_learns_that_the_connection_has_ended() {
    let (reader, mut server) = tokio::io::duplex(1 << 10);
    // Holds the greeting and little else.
    let (writer, never_read) = tokio::io::duplex(64);
    server.write_all(&VERSION).await.unwrap();
    let transport = Transport {
        reader: Box::new(reader),
        writer: Box::new(writer),
        why_ended: Box::new(|| Box::pin(async { Some("cut".to_owned()) })),
        keep: Box::new(never_read),
    };
    let client = Client::start(transport, Duration::from_secs(3600))
        .await
        .unwrap();
    let name = "n".repeat(100);
    let requests = (0..QUEUE_FRAMES * 3).map(|_| async {
        match client.ask(Request::Remove(&name)).await {
            Ok(answer) => answer.done().await,
            Err(fault) => Err(fault),
        }
    });
    let (answers, ()) = tokio::join!(futures::future::join_all(requests), async {
        drop(server);
    });
    for answer in answers {
        let Err(Fault::Ended(failure)) = answer else {
            panic!("an answer from nowhere");
        };
        assert!(failure.message.contains("cut"), "{}", failure.message);
    }
}
