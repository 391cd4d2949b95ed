package io.xfuser.server;

import static org.assertj.core.api.Assertions.assertThat;

import io.xfuser.config.EngineConfig;
import io.xfuser.pipeline.XDiTParallel;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The page in a real browser. {@code -Dxfuser.write=true} takes the pictures of the docs. */
class PageTest {
  private static final EngineConfig ENGINE =
      EngineConfig.builder(DemoServer.MODEL).parallel(p -> p.pipefusionDegree(2)).build();

  private static final String CONTROL = "\uE009";
  private static final String ENTER = "\uE007";
  private static final String ESCAPE = "\uE00C";
  private static final String TAB = "\uE004";

  @SuppressWarnings("NullAway.Init")
  private static ImageServer server;

  @SuppressWarnings("NullAway.Init")
  private static Browser browser;

  @BeforeAll
  static void open() throws IOException {
    if (!Browser.isHere()) {
      System.out.println("skipped: the page is not tried, there are no chromium and chromedriver");
    }
    Assumptions.assumeTrue(Browser.isHere(), "no chromium and chromedriver on the path");
    server = ImageServer.builder().model("demo", ranks()).port(0).start();
    browser = Browser.start();
  }

  private static XDiTParallel ranks() {
    return DemoServer.ranks(ENGINE);
  }

  @AfterAll
  static void close() {
    if (browser != null) {
      browser.close();
      server.close();
    }
  }

  private static String address(ImageServer of) {
    return "http://127.0.0.1:" + of.port() + "/";
  }

  /** A page on which nothing was done, with {@code pictures} drawn before. */
  private static void fresh() {
    browser.open(address(server));
    browser.run("return new Promise(done => indexedDB.deleteDatabase('xfuser').onsuccess = done)");
    browser.resize(1100, 900);
    browser.colours("light");
    browser.open(address(server));
    browser.await("document.getElementById('strategy').textContent");
    browser.complaints();
  }

  private static void draw(String prompt, int steps, int seed) {
    browser.replace("#prompt", prompt);
    browser.replace("#num_inference_steps", String.valueOf(steps));
    browser.replace("#seed", String.valueOf(seed));
    int before = pictures();
    browser.press(CONTROL, ENTER);
    browser.await("document.querySelectorAll('#gallery li').length == " + (before + 1));
    browser.await("document.getElementById('draw').disabled == false");
  }

  private static int pictures() {
    return browser.run("return document.querySelectorAll('#gallery li').length").asInt();
  }

  private static String text(String id) {
    return browser.run("return document.getElementById('" + id + "').textContent").asText();
  }

  /** The pixels of a picture of the gallery, the newest first. */
  private static String pixels(int number) {
    return browser
        .run(
            """
            const image = document.querySelectorAll('#gallery img')[%d];
            return image.decode().then(() => {
              const canvas = new OffscreenCanvas(image.naturalWidth, image.naturalHeight);
              const brush = canvas.getContext('2d');
              brush.drawImage(image, 0, 0);
              return Array.from(brush.getImageData(0, 0, 128, 128).data).join();
            })
            """
                .formatted(number))
        .asText();
  }

  @Test
  void aPictureIsDrawnByKeyboardKeptAndDrawnAgainFromItsSeed() {
    fresh();
    draw("a fox", 2, 7);
    assertThat(text("status")).startsWith("Drawn in ").endsWith("seed 7.");
    assertThat(browser.run("return document.querySelector('#frame img').naturalWidth").asInt())
        .isEqualTo(128);
    browser.open(address(server));
    browser.await("document.querySelectorAll('#gallery li').length == 1");
    browser.click("#gallery .again");
    assertThat(browser.run("return document.getElementById('seed').value").asText()).isEqualTo("7");
    browser.press(CONTROL, ENTER);
    browser.await("document.querySelectorAll('#gallery li').length == 2");
    assertThat(pixels(0).equals(pixels(1))).isTrue();
    assertThat(pixels(0)).contains(",255,");
    assertThat(browser.run("return document.querySelector('.download').download").asText())
        .isEqualTo("a_fox_7.png");
    browser.click("#gallery .picture");
    assertThat(browser.run("return document.getElementById('large').open").asBoolean()).isTrue();
    browser.press(ESCAPE);
    browser.await("!document.getElementById('large').open");
    browser.click("#gallery .delete");
    browser.await("document.querySelectorAll('#gallery li').length == 1");
    assertThat(browser.complaints()).isEmpty();
  }

  @Test
  void progressAndPreviewsAreShownAndCancellingEndsIt() throws Exception {
    fresh();
    browser.type("#prompt", "a fox");
    browser.type("#num_inference_steps", "900");
    browser.click("#draw");
    browser.await("document.getElementById('progress').value > 0");
    assertThat(text("strategy")).contains("PipeFusion");
    browser.press(ESCAPE);
    browser.await("document.getElementById('status').textContent == 'Cancelled.'");
    browser.replace("#num_inference_steps", "16");
    browser.click("#draw");
    browser.await("document.querySelector('#frame img.unfinished')");
    browser.await("document.querySelectorAll('#gallery li').length == 1");
    browser.replace("#seed", "18446744073709551616"); // one more than there are, digit by digit
    browser.click("#draw");
    browser.await("document.getElementById('error').textContent.includes('18446744073709551616')");
    assertThat(text("frame")).doesNotContain("null").isNotBlank();
    browser.replace("#seed", "7");
    browser.complaints(); // that the last request was refused
  }

  @Test
  void aRefusalIsReadOutInTheServersWords() {
    fresh();
    browser.type("#prompt", "a fox");
    browser.type("#width", "7");
    browser.type("#height", "7");
    browser.click("#draw");
    browser.await("document.getElementById('error').textContent.includes('7')");
    assertThat(pictures()).isZero();
    assertThat(browser.run("return document.getElementById('draw').disabled").asBoolean())
        .isFalse();
  }

  @Test
  void aServerWithKeysAsksForOne(@TempDir Path folder) throws IOException {
    Path keys = Files.writeString(folder.resolve("keys"), "secret\n");
    ImageServer closed =
        ImageServer.builder()
            .model("demo", ranks())
            .set(ServerSettings.API_KEY_FILE, keys)
            .port(0)
            .start();
    try (closed) {
      browser.open(address(closed));
      browser.await("!document.getElementById('key-row').hidden");
      browser.type("#key", "secret" + TAB);
      browser.await("document.getElementById('strategy').textContent.startsWith('demo')");
      draw("a fox", 1, 1);
      assertThat(pictures()).isOne();
    }
  }

  @Test
  void aSmallScreenHasNoSecondDirectionAndDarkIsDark() {
    fresh();
    browser.resize(360, 700);
    String wide =
        "const page = document.documentElement; return page.scrollWidth - page.clientWidth";
    assertThat(browser.run(wide).asInt()).isZero();
    String light = ground();
    browser.colours("dark");
    assertThat(ground()).isNotEqualTo(light);
  }

  private static String ground() {
    return browser.run("return getComputedStyle(document.body).backgroundColor").asText();
  }

  @Test
  void everyFieldHasALabelAndTabReachesTheButtonsInOrder() {
    fresh();
    String unlabelled =
        "return [...document.querySelectorAll('input, textarea, select, progress')]"
            + ".filter(x => !x.labels?.length && !x.ariaLabel).map(x => x.id).join()";
    assertThat(browser.run(unlabelled).asText()).isEmpty();
    browser.click("#prompt");
    for (String next : new String[] {"negative_prompt", "width", "height"}) {
      browser.press(TAB);
      assertThat(browser.run("return document.activeElement.id").asText()).isEqualTo(next);
    }
  }

  @Test
  void nothingComesFromElsewhereAndNoScriptButThePagesRuns() throws Exception {
    HttpResponse<String> page =
        HttpClient.newHttpClient()
            .send(
                HttpRequest.newBuilder(URI.create(address(server))).build(),
                HttpResponse.BodyHandlers.ofString());
    assertThat(page.headers().firstValue("content-security-policy").orElse(""))
        .contains("default-src 'none'", "script-src 'self'", "frame-ancestors 'none'")
        .doesNotContain("unsafe");
    assertThat(page.body()).doesNotContain("http://", "https://", "style=", "onclick");
    fresh();
    browser.run(
        "const script = document.createElement('script'); script.textContent = 'window.foreign ="
            + " 1'; document.head.append(script)");
    assertThat(browser.run("return window.foreign ?? 0").asInt()).isZero();
    assertThat(browser.complaints()).isNotEmpty();
  }

  @Test
  void picturesOfTheDocsAreTakenWhenAskedFor() throws IOException {
    Assumptions.assumeTrue(Boolean.getBoolean("xfuser.write"));
    fresh();
    browser.resize(1000, 900);
    String[] emoji = {"a tree", "a red apple", "a car", "a fox"};
    for (int i = 0; i < emoji.length; i++) {
      draw(emoji[i], 12, i);
    }
    browser.click("h2");
    for (String scheme : new String[] {"light", "dark"}) {
      browser.colours(scheme);
      Files.write(Path.of("../docs/images/page_" + scheme + ".png"), browser.screenshot());
    }
  }
}
