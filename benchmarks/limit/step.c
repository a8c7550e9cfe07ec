/* The training step of the course's network, 1-6-7-2 with logistic layers, as a machine would like it best: shapes fixed
   when it is compiled, everything in the first cache, samples side by side in every loop, so that a compiler can
   vectorise all of them. Samples are filled up to whole registers, those that fill with a share of 0 in the cost.

   p: W1 6x1, b1 6, W2 7x6, b2 7, W3 2x7, b3 2; x: N; y: 2xN; all float. */

#include <math.h>

#define P ((N + 15) / 16 * 16)
#define EACH_SAMPLE for (int n = 0; n < P; n++)

static inline float logistic(float z) { return 1 / (1 + expf(-z)); }

void train(float *restrict p, const float *restrict x_, const float *restrict y_, float rate, long steps)
{
    static float x[P], y[2][P], share[P], a1[6][P], a2[7][P], dz1[6][P], dz2[7][P], dz3[2][P];
    float *W1 = p, *b1 = p + 6, *W2 = p + 12, *b2 = p + 54, *W3 = p + 61, *b3 = p + 75;

    EACH_SAMPLE {
        int k = n < N ? n : N - 1;
        x[n] = x_[k], y[0][n] = y_[k], y[1][n] = y_[N + k];
        share[n] = n < N ? 2.0f / N : 0;
    }
    for (long step = 0; step < steps; step++) {
        for (int o = 0; o < 6; o++) EACH_SAMPLE a1[o][n] = logistic(W1[o] * x[n] + b1[o]);
        for (int o = 0; o < 7; o++) EACH_SAMPLE {
            float z = b2[o];
            for (int i = 0; i < 6; i++) z += W2[o * 6 + i] * a1[i][n];
            a2[o][n] = logistic(z);
        }
        for (int o = 0; o < 2; o++) EACH_SAMPLE {
            float z = b3[o];
            for (int i = 0; i < 7; i++) z += W3[o * 7 + i] * a2[i][n];
            float a = logistic(z);
            dz3[o][n] = share[n] * (a - y[o][n]) * a * (1 - a);
        }
        for (int i = 0; i < 7; i++) EACH_SAMPLE
            dz2[i][n] = (W3[i] * dz3[0][n] + W3[7 + i] * dz3[1][n]) * a2[i][n] * (1 - a2[i][n]);
        for (int i = 0; i < 6; i++) EACH_SAMPLE {
            float da = 0;
            for (int o = 0; o < 7; o++) da += W2[o * 6 + i] * dz2[o][n];
            dz1[i][n] = da * a1[i][n] * (1 - a1[i][n]);
        }
        for (int o = 0; o < 2; o++) {
            float db = 0;
            for (int i = 0; i < 7; i++) {
                float dW = 0;
                EACH_SAMPLE dW += dz3[o][n] * a2[i][n];
                W3[o * 7 + i] -= rate * dW;
            }
            EACH_SAMPLE db += dz3[o][n];
            b3[o] -= rate * db;
        }
        for (int o = 0; o < 7; o++) {
            float db = 0;
            for (int i = 0; i < 6; i++) {
                float dW = 0;
                EACH_SAMPLE dW += dz2[o][n] * a1[i][n];
                W2[o * 6 + i] -= rate * dW;
            }
            EACH_SAMPLE db += dz2[o][n];
            b2[o] -= rate * db;
        }
        for (int o = 0; o < 6; o++) {
            float dW = 0, db = 0;
            EACH_SAMPLE dW += dz1[o][n] * x[n], db += dz1[o][n];
            W1[o] -= rate * dW;
            b1[o] -= rate * db;
        }
    }
}
